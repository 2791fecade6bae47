// Signing in and out: with a token, with a name and a password, and with what is wrong.

import { Explore, address } from "../explore.mjs";
import { becomes, check, same } from "../waiting.mjs";

export async function session({ token, password, come }) {
  const visitor = await come();
  const { page } = visitor;
  const explore = new Explore(visitor, "audit");
  await visitor.open(address("audit", { q: "status:failure" }));
  await page.getByRole("heading", { name: "Sign in to Flowtrail" }).waitFor();

  await page.getByLabel("Token", { exact: true }).fill("flt_not_this_one");
  await page.getByRole("button", { name: "Sign in" }).click();
  await becomes("This token is not known, or no longer valid.", () => page.getByRole("alert").innerText(), "why not");

  await visitor.signIn(token);
  await becomes("status:failure", () => explore.filter.inputValue(), "the filter of the link");
  await becomes("Audit · Flowtrail", () => page.title(), "the title");
  const cookies = await visitor.context.cookies();
  same(cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite]), [[true, "Strict"]], "cookies that no script reads");
  const kept = await page.evaluate(() => [document.cookie, { ...localStorage }, { ...sessionStorage }, location.href]);
  check(!JSON.stringify(kept).includes(token), "the page keeps the token where scripts can read it");

  await page.reload();
  await becomes("status:failure", () => explore.filter.inputValue(), "the filter after a reload");

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to Flowtrail" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Sign in to Flowtrail" }).waitFor();
  same(await visitor.context.cookies(), [], "cookies after signing out");

  await page.getByRole("radio", { name: "Name and password" }).check();
  await page.getByLabel("E-mail address").fill("admin@local");
  await page.getByLabel("Password", { exact: true }).fill("not this one");
  await page.getByRole("button", { name: "Sign in" }).click();
  await becomes("The name or the password is wrong.", () => page.getByRole("alert").innerText(), "why not");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}
