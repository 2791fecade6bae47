/** Begins the page: the shell of all pages in the document's only element. */

import "./language";
import "./theme.css";
import { render } from "preact";
import { App } from "./shell/App";

const root = document.getElementById("page");
if (root !== null) {
  render(<App />, root);
}
