/** Who is signed in, and what they may do. */

import type { Session } from "../api/session";
import { Moment } from "../ui/Moment";
import { Text } from "../ui/Text";
import "./system.css";

export function SessionView({ session: { account, user, scopes, expires_at: end } }: { session: Session }) {
  return (
    <section aria-labelledby="session">
      <h2 id="session">This session</h2>
      <dl class="system-session">
        <dt>User</dt>
        <dd>
          <Text value={user.name ?? user.email ?? user.id} />
        </dd>
        <dt>Account</dt>
        <dd>
          <Text value={account} />
        </dd>
        <dt>Scopes</dt>
        <dd>{scopes.join(", ")}</dd>
        <dt>Ends</dt>
        <dd>{end === null ? "never by itself" : <Moment time={end} />}</dd>
      </dl>
    </section>
  );
}
