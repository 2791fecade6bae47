/** Short notices at the foot of the page, which screen readers say too: "Copied.", "Saved." */

import { useEffect, useState } from "preact/hooks";
import "./notice.css";

const SHOWN_FOR_MS = 6_000;

const notices = new EventTarget();

class Notice extends Event {
  readonly text: string;

  constructor(text: string) {
    super("notice");
    this.text = text;
  }
}

export function notify(text: string): void {
  notices.dispatchEvent(new Notice(text));
}

/** Where notices are shown; stands once in the page. */
export function Notices() {
  const [text, setText] = useState("");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (event: Event): void => {
      if (event instanceof Notice) {
        setText(event.text);
        clearTimeout(timer);
        timer = setTimeout(() => setText(""), SHOWN_FOR_MS);
      }
    };
    notices.addEventListener("notice", show);
    return () => {
      clearTimeout(timer);
      notices.removeEventListener("notice", show);
    };
  }, []);
  return (
    <div role="status" class="notices">
      {text !== "" && <p>{text}</p>}
    </div>
  );
}
