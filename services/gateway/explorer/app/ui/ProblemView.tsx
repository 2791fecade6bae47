/** Why something could not be shown, and what to do about it. */

import type { Problem } from "../api/problem";
import { Text } from "./Text";
import "./problem.css";

interface Props {
  readonly problem: Problem;
  /** Asks again; left out where that would be the same refusal. */
  readonly onRetry?: () => void;
}

export function ProblemView({ problem, onRetry }: Props) {
  return (
    <div class="problem" role="alert">
      <p>
        <strong>{problem.title}.</strong> <Text value={problem.message} />
      </p>
      {advice(problem) !== null && <p class="quiet">{advice(problem)}</p>}
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

function advice({ status, retryAfter }: Problem): string | null {
  switch (status) {
    case 403:
      return "The token that you signed in with has not the scope that this takes.";
    case 429:
      return retryAfter === null ? "Too much was asked at once. Wait a little." : `Too much was asked at once. Wait ${retryAfter} s.`;
    case 503:
      return "A part of the service is away. It comes back by itself; the operator sees why with `flowtrail doctor`.";
    default:
      return null;
  }
}
