/** The head of all pages: where one can go, who is signed in, and the way out. */

import { type Session, signOut } from "../api/session";
import { asProblem } from "../api/problem";
import type { Page } from "../page";
import { notify } from "../ui/notice";
import { Text } from "../ui/Text";

interface Props {
  readonly session: Session;
  readonly pages: readonly Page[];
  readonly path: string;
  readonly onSignedOut: () => void;
}

export function Header({ session, pages, path, onSignedOut }: Props) {
  const leave = (): void => {
    signOut()
      .then(onSignedOut)
      .catch((thrown: unknown) => notify(asProblem(thrown).message));
  };
  const { user, account } = session;
  return (
    <header class="shell-header">
      <span class="shell-mark">Flowtrail</span>
      <nav aria-label="Pages">
        <ul class="shell-nav">
          {pages.map((page) => {
            const href = `/explorer/${page.path}`;
            return (
              <li key={page.path}>
                <a href={href} aria-current={href === path ? "page" : undefined}>
                  {page.title}
                </a>
              </li>
            );
          })}
        </ul>
      </nav>
      <span class="shell-user" title={`Account ${account}`}>
        <Text value={user.name ?? user.email ?? user.id} />
        <span class="quiet">
          {" "}
          in <Text value={account} />
        </span>
      </span>
      <button type="button" class="shell-leave" onClick={leave}>
        Sign out
      </button>
    </header>
  );
}
