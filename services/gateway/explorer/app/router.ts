/**
 * Where the reader is: a path and a query string, which together are the whole state of a page. Whoever opens the same
 * URL sees the same.
 */

import { useEffect, useState } from "preact/hooks";

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

const CHANGED = "flowtrail:place";

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

/** Goes to a URL of this page; `replace` where "back" should not lead to the present one. */
export function go(url: string, { replace = false }: { replace?: boolean } = {}): void {
  const present = location.pathname + location.search;
  if (url !== present) {
    history[replace ? "replaceState" : "pushState"](null, "", url);
    window.dispatchEvent(new Event(CHANGED));
  }
}

/** The URL of a path with these parameters. */
export function urlOf(path: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Where the reader is, now and whenever that changes. */
export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const update = (): void => setPlace(here());
    window.addEventListener("popstate", update);
    window.addEventListener(CHANGED, update);
    return () => {
      window.removeEventListener("popstate", update);
      window.removeEventListener(CHANGED, update);
    };
  }, []);
  return place;
}

/** Follows a plain click on a link within the page without loading the page anew. */
export function followLink(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const isPlain = event.button === 0 && !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (link === null || !isPlain || event.defaultPrevented || link.target !== "" || link.hasAttribute("download")) {
    return;
  }
  const url = new URL(link.href, location.href);
  if (url.origin === location.origin && url.pathname.startsWith("/explorer/") && url.hash === "") {
    event.preventDefault();
    go(url.pathname + url.search);
  }
}
