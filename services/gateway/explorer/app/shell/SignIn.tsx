/** Asks for a token, or for a name and a password, and begins a session with it. */

import { useEffect, useRef, useState } from "preact/hooks";
import { type Problem, asProblem } from "../api/problem";
import { type Credentials, type Session, signIn } from "../api/session";

type Means = "password" | "token";

export function SignIn({ onSignedIn }: { onSignedIn: (session: Session) => void }) {
  const [means, setMeans] = useState<Means>("token");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isAsking, setIsAsking] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    document.title = "Sign in · Flowtrail";
  }, []);
  useEffect(() => {
    form.current?.querySelector<HTMLInputElement>("input:not([type=radio])")?.focus();
  }, [means]);

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const entered = new FormData(form.current ?? undefined);
    const text = (name: string): string => String(entered.get(name) ?? "").trim();
    const credentials: Credentials =
      means === "token" ? { token: text("token") } : { username: text("username"), password: String(entered.get("password") ?? "") };
    setIsAsking(true);
    setProblem(null);
    signIn(credentials)
      .then(onSignedIn)
      .catch((thrown: unknown) => setProblem(asProblem(thrown)))
      .finally(() => setIsAsking(false));
  };

  return (
    <main class="sign-in">
      <h1>Sign in to Flowtrail</h1>
      <form ref={form} onSubmit={submit} aria-busy={isAsking}>
        <fieldset class="sign-in-means">
          <legend class="unseen">Sign in with</legend>
          <Choice value="token" label="A token" chosen={means} onChoose={setMeans} />
          <Choice value="password" label="Name and password" chosen={means} onChoose={setMeans} />
        </fieldset>
        {means === "token" ? (
          <label>
            Token
            <input name="token" type="password" autocomplete="off" required spellcheck={false} />
          </label>
        ) : (
          <>
            <label>
              E-mail address
              <input name="username" type="text" autocomplete="username" required spellcheck={false} autocapitalize="off" />
            </label>
            <label>
              Password
              <input name="password" type="password" autocomplete="current-password" required />
            </label>
          </>
        )}
        <p class="sign-in-problem" role="alert">
          {problem !== null && why(problem, means)}
        </p>
        <button type="submit" class="primary" disabled={isAsking}>
          Sign in
        </button>
      </form>
      <p class="quiet">
        <code>flowtrail up</code> left a token of all scopes in <code>admin.token</code> in its data folder, and the password of{" "}
        <code>admin@local</code> in <code>admin.password</code>.
      </p>
    </main>
  );
}

interface ChoiceProps {
  readonly value: Means;
  readonly label: string;
  readonly chosen: Means;
  readonly onChoose: (value: Means) => void;
}

function Choice({ value, label, chosen, onChoose }: ChoiceProps) {
  return (
    <label>
      <input type="radio" name="means" value={value} checked={chosen === value} onChange={() => onChoose(value)} />
      {label}
    </label>
  );
}

function why(problem: Problem, means: Means): string {
  if (problem.status === 401) {
    return means === "token" ? "This token is not known, or no longer valid." : "The name or the password is wrong.";
  }
  if (problem.status === 429) {
    return `Too many tries. Wait ${problem.retryAfter ?? "some"} seconds.`;
  }
  return problem.message;
}
