// Somebody with a browser context of their own, who remembers all that should not have happened in it.

import { PATIENCE_MS, check, eventually } from "./waiting.mjs";

/** The browser itself writes this to the console for each answer that is a refusal. */
const REFUSED = /^Failed to load resource: the server responded with a status of (\d+)/;

/** How the visitor looks at it, if nothing else is said; in words and times of the same place everywhere. */
const CONDITIONS = { viewport: { width: 1440, height: 900 }, locale: "en-GB", timezoneId: "UTC" };

const SESSION = "/flowtrail/v1/session";

/** Violations of the policy of contents are told to the console, as errors are. */
const TELL_VIOLATIONS = () => {
  document.addEventListener("securitypolicyviolation", (event) => {
    console.error(`violates ${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
  });
};

export class Visitor {
  #faults = [];
  /** Statuses of refusals that are asked for on purpose. */
  #expected = new Set();

  /** `options` are those of a browser context: `viewport`, `colorScheme` and so on. */
  static async come(browser, url, options = {}) {
    const context = await browser.newContext({ ...CONDITIONS, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    await context.addInitScript(TELL_VIOLATIONS);
    const visitor = new Visitor();
    visitor.url = url;
    visitor.context = context;
    visitor.page = await context.newPage();
    visitor.#watch(new URL(url).origin);
    return visitor;
  }

  #watch(origin) {
    this.context.on("console", (message) => {
      const status = Number(REFUSED.exec(message.text())?.[1]);
      const { url } = message.location();
      // Who is not signed in, or not yet, is told so there.
      const isSigningIn = status === 401 && new URL(url || origin).pathname === SESSION;
      if (message.type() === "error" && !isSigningIn && !this.#expected.has(status)) {
        this.#faults.push(`the console says: ${message.text()} (${url})`);
      }
    });
    this.context.on("weberror", (error) => this.#faults.push(`the script failed: ${error.error()}`));
    this.context.on("dialog", (dialog) => {
      this.#faults.push(`a dialog came: ${dialog.message()}`);
      void dialog.dismiss();
    });
    this.context.on("request", (request) => {
      const { protocol, origin: asked } = new URL(request.url());
      if (asked !== origin && protocol !== "data:" && protocol !== "blob:") {
        this.#faults.push(`something else was asked: ${request.url()}`);
      }
    });
  }

  /** From now on, refusals with this status are no fault. */
  expects(status) {
    this.#expected.add(status);
  }

  async open(path) {
    await this.page.goto(new URL(path, this.url).href);
  }

  /** Signs in with a token at the page where the visitor is. */
  async signIn(token) {
    await this.page.getByLabel("Token", { exact: true }).fill(token);
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await this.page.getByRole("button", { name: "Sign out" }).waitFor();
  }

  /** Opens a page of the explorer, signed in. */
  async openSignedIn(path, token) {
    await this.open(path);
    await this.signIn(token);
  }

  /** What this visitor sees, and what went wrong until now: for who has to find out why something did not come. */
  async story() {
    const seen = await this.page.locator("body").ariaSnapshot({ timeout: 1_000 }).catch(() => "nothing");
    return [`At ${this.page.url()}:`, ...new Set(this.#faults), seen].join("\n");
  }

  /** Waits until something that should not happen was noticed, and ends the visit with that. */
  async leavesWith(fault) {
    await eventually(`it is noticed: ${fault}`, () => this.#faults.some((one) => one.includes(fault)));
    await this.context.close();
    this.#faults.length = 0;
  }

  /** Ends the visit; it was a good one if nothing went wrong in it. */
  async leave() {
    await this.context.close();
    check(this.#faults.length === 0, [...new Set(this.#faults)].join("\n"));
  }
}
