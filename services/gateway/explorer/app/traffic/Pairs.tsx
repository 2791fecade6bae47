import type { ViewProps } from "../explore/family";
export function Pairs(_: ViewProps) { return null; }
