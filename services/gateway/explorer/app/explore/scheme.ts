/** Whether the page is light or dark, for what is drawn and has no style sheet. */

import { useEffect, useState } from "preact/hooks";

export function useScheme(): "light" | "dark" {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const [isDark, setIsDark] = useState(dark.matches);
  useEffect(() => {
    const update = (): void => setIsDark(dark.matches);
    dark.addEventListener("change", update);
    return () => dark.removeEventListener("change", update);
  }, []);
  return isDark ? "dark" : "light";
}
