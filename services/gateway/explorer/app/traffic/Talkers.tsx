import type { ViewProps } from "../explore/family";
export function Talkers(_: ViewProps) { return null; }
