/**
 * The filter's text as the terms that it is made of, to be shown as chips and changed one by one. The service alone knows
 * the whole language; here is no more of it than where one term ends and the next begins.
 */

/** The terms that must all hold, as they are written; one where `OR` holds them together. */
export function termsOf(q: string): string[] {
  const words = split(q);
  if (words.includes("OR")) {
    return [q.trim()];
  }
  const terms: string[] = [];
  let negation = "";
  for (const word of words) {
    if (word === "NOT") {
      negation = "NOT ";
    } else if (word !== "AND") {
      terms.push(negation + word);
      negation = "";
    }
  }
  return terms;
}

/** Words at the top level: quotes, brackets and backslashes hold together what is in them. */
function split(q: string): string[] {
  const words: string[] = [];
  let word = "";
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < q.length; at += 1) {
    const sign = q.charAt(at);
    if (sign === "\\") {
      word += sign + q.charAt(at + 1);
      at += 1;
      continue;
    }
    if (sign === '"') {
      isQuoted = !isQuoted;
    } else if (!isQuoted && "([{".includes(sign)) {
      depth += 1;
    } else if (!isQuoted && ")]}".includes(sign)) {
      depth -= 1;
    }
    if (/\s/.test(sign) && !isQuoted && depth <= 0) {
      words.push(word);
      word = "";
    } else {
      word += sign;
    }
  }
  words.push(word);
  return words.filter((whole) => whole !== "");
}

/** A value as it is written behind `field:`; in quotes, but for the plainest. */
export function written(value: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.@/-]*$/.test(value) && !/^(AND|OR|NOT|now.*)$/.test(value)) {
    return value;
  }
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}

/** The term for events whose field has this value; for those without one where it is null. */
export function term(field: string, value: string | null): string {
  // A path into further data may have names with signs of the language in them.
  const name = field.replace(/[^A-Za-z0-9_.-]/gu, "\\$&");
  return value === null ? `-${name}:*` : `${name}:${written(value)}`;
}

function opposite(one: string): string {
  return one.startsWith("-") ? one.slice(1) : `-${one}`;
}

/** The filter with a term more; one that says the opposite goes. */
export function including(q: string, added: string): string {
  const terms = termsOf(q);
  if (terms.includes(added)) {
    return q;
  }
  // Of "a OR b" and "c", "a OR b" must stay together.
  const kept = terms.filter((one) => one !== opposite(added)).map((one) => (split(one).includes("OR") ? `(${one})` : one));
  return [...kept, added].join(" ");
}

export function excluding(q: string, excluded: string): string {
  return including(q, opposite(excluded));
}

export function without(q: string, removed: number): string {
  return termsOf(q)
    .filter((_, index) => index !== removed)
    .join(" ");
}
