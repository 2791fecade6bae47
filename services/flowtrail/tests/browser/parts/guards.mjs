// That a visit notices what must not happen in it: each is made to happen, on a page that does none of it.

const FAULTS = {
  "violates style-src": () => document.head.append(Object.assign(document.createElement("style"), { textContent: "p { color: red }" })),
  "violates script-src": () => document.head.append(Object.assign(document.createElement("script"), { textContent: "document.title = 1" })),
  "a dialog came": () => alert("here"),
  "violates connect-src": () => void fetch("http://localhost:9/").catch(() => undefined),
  // No policy of contents is about where a page leads to.
  "something else was asked": () => location.assign("http://localhost:9/"),
  "the console says": () => console.error("here"),
  "the script failed": () => {
    setTimeout(() => {
      throw new Error("here");
    });
  },
};

export async function guards({ come }) {
  for (const [noticed, fault] of Object.entries(FAULTS)) {
    const visitor = await come();
    await visitor.open("/explorer/audit");
    await visitor.page.getByRole("heading", { name: "Sign in to Flowtrail" }).waitFor();
    await visitor.page.evaluate(fault);
    await visitor.leavesWith(noticed);
  }
}
