import type { ViewProps } from "../explore/family";
export function Drops(_: ViewProps) { return null; }
