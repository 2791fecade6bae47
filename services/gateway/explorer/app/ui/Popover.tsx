/** A button that opens a panel below itself; Escape, or a press elsewhere, closes it. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import "./popover.css";

interface Props {
  readonly label: ComponentChildren;
  /** The button's name for screen readers, where its label says too little. */
  readonly name?: string;
  /** Which edge of the button the panel stands at. */
  readonly side?: "start" | "end";
  readonly children: (close: () => void) => ComponentChildren;
}

export function Popover({ label, name, side = "start", children }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  const close = (): void => {
    setIsOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!isOpen) {
      return undefined;
    }
    root.current?.querySelector<HTMLElement>(".popover-panel :is(button, input, select, a)")?.focus();
    const onPress = (event: PointerEvent): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) !== true) {
        setIsOpen(false);
      }
    };
    document.addEventListener("pointerdown", onPress);
    return () => document.removeEventListener("pointerdown", onPress);
  }, [isOpen]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (isOpen && event.key === "Escape") {
      // The panel alone is meant, not what is open behind it.
      event.stopPropagation();
      close();
    }
  };
  return (
    <div class="popover" ref={root} onKeyDown={onKeyDown}>
      <button ref={button} type="button" aria-expanded={isOpen} aria-label={name} onClick={() => setIsOpen(!isOpen)}>
        {label} <span aria-hidden="true">▾</span>
      </button>
      {isOpen && <div class={`popover-panel popover-${side}`}>{children(close)}</div>}
    </div>
  );
}
