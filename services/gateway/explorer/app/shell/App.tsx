/**
 * What all pages stand in: the header, the page that the path names, and notices. Without a session it asks to sign in,
 * at the same URL, so that the reader is then where they wanted to be.
 */

import { useEffect, useState } from "preact/hooks";
import { onSignedOut } from "../api/client";
import { type Problem, asProblem } from "../api/problem";
import { type Session, currentSession, may } from "../api/session";
import { pages } from "../pages";
import { followLink, go, usePlace } from "../router";
import { Notices } from "../ui/notice";
import { ProblemView } from "../ui/ProblemView";
import { Header } from "./Header";
import { SessionContext } from "./session";
import { SignIn } from "./SignIn";
import "./shell.css";

type State = { is: "asking" } | { is: "signed out" } | { is: "signed in"; session: Session } | { is: "failed"; problem: Problem };

export function App() {
  const [state, setState] = useState<State>({ is: "asking" });

  const resume = (): void => {
    setState({ is: "asking" });
    currentSession()
      .then((session) => setState({ is: "signed in", session }))
      .catch((thrown: unknown) => {
        const problem = asProblem(thrown);
        setState(problem.status === 401 ? { is: "signed out" } : { is: "failed", problem });
      });
  };
  useEffect(resume, []);
  useEffect(() => onSignedOut(() => setState({ is: "signed out" })), []);
  useEffect(() => {
    document.addEventListener("click", followLink);
    return () => document.removeEventListener("click", followLink);
  }, []);

  switch (state.is) {
    case "asking":
      return <main class="shell-wait" aria-busy="true" aria-label="Flowtrail" />;
    case "signed out":
      return <SignIn onSignedIn={(session) => setState({ is: "signed in", session })} />;
    case "failed":
      return (
        <main class="shell-message">
          <ProblemView problem={state.problem} onRetry={resume} />
        </main>
      );
    case "signed in":
      return (
        <SessionContext.Provider value={state.session}>
          <SignedIn session={state.session} onSignedOut={() => setState({ is: "signed out" })} />
          <Notices />
        </SessionContext.Provider>
      );
  }
}

function SignedIn({ session, onSignedOut: left }: { session: Session; onSignedOut: () => void }) {
  const { path } = usePlace();
  const shown = pages.filter(({ scope }) => scope === null || may(session, scope));
  const page = shown.find((candidate) => `/explorer/${candidate.path}` === path);
  const first = shown[0];

  useEffect(() => {
    if (path === "/" && first !== undefined) {
      go(`/explorer/${first.path}`, { replace: true });
    }
  }, [path, first]);
  useEffect(() => {
    document.title = page === undefined ? "Flowtrail" : `${page.title} · Flowtrail`;
  }, [page]);

  const Component = page?.component;
  return (
    <>
      <a class="shell-skip" href="#main">
        Skip to the page
      </a>
      <Header session={session} pages={shown} path={path} onSignedOut={left} />
      <main id="main" tabIndex={-1} class="shell-main">
        {Component !== undefined ? <Component key={path} /> : path !== "/" && <Nothing path={path} />}
      </main>
    </>
  );
}

function Nothing({ path }: { path: string }) {
  const isKnown = pages.some((page) => `/explorer/${page.path}` === path);
  return (
    <div class="shell-message">
      <h1>{isKnown ? "Not for you to see" : "There is no such page"}</h1>
      <p>{isKnown ? "Your token has not the scope that this page takes." : "Choose one of the pages above."}</p>
    </div>
  );
}
