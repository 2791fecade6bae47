/**
 * A text that somebody else wrote, shown as text: set apart from its surroundings in writing direction, with characters
 * that would not be seen made visible. Nothing of an event is ever shown in another way.
 */

/** Control characters, and those that turn the direction of writing or take no room. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Control characters up to U+001F have pictures of their own from here on. */
const PICTURES = 0x2400;

function picture(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x20 ? String.fromCharCode(PICTURES + code) : `\\u{${code.toString(16)}}`;
}

/** The text with what would not be seen made visible. */
export function visible(text: string): string {
  return text.replace(UNSEEN, picture);
}

export function Text({ value }: { value: string }) {
  return <bdi>{visible(value)}</bdi>;
}
