/** The page of integrations: all of them, one with how its delivery stands, or the form for a new one. */

import { may } from "../api/session";
import type { Page } from "../page";
import { usePlace } from "../router";
import { useSession } from "../shell/session";
import { Detail } from "./Detail";
import { isTab } from "./integration";
import { List } from "./List";
import { New } from "./New";
import "../ui/sheet.css";
import "./form.css";
import "./streaming.css";

export const streaming: Page = { path: "streaming", title: "Streaming", scope: "integrations:read", component: Streaming };

function Streaming() {
  const { query } = usePlace();
  const mayWrite = may(useSession(), "integrations:write");
  const id = Number(query.get("id") ?? Number.NaN);
  const platform = query.get("new");
  const tab = query.get("tab") ?? "";
  if (Number.isSafeInteger(id)) {
    return <Detail key={id} id={id} tab={isTab(tab) ? tab : "status"} mayWrite={mayWrite} />;
  }
  return platform !== null && mayWrite ? <New key={platform} name={platform} /> : <List mayWrite={mayWrite} />;
}
