/**
 * Mends the browser's language where it is none: a Chromium of the locale C says `en-US@posix`, which every
 * `Intl` refuses, also in a library that asks as soon as it is loaded. Must be loaded before all others.
 */

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length > 0;
  } catch {
    return false;
  }
}

if (!isLanguage(navigator.language)) {
  Object.defineProperty(navigator, "language", { value: "en-US" });
}
