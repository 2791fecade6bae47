/** The form for a new integration: first the platform, then its settings. */

import { type Config, create } from "../api/integrations";
import { go } from "../router";
import { notify } from "../ui/notice";
import { ConfigForm } from "./ConfigForm";
import { integrationUrl, listUrl, newUrl } from "./integration";
import { PLATFORMS, platformOf } from "./platforms";

export function New({ name }: { name: string }) {
  const platform = platformOf(name);
  const store = async (config: Config, enabled: boolean): Promise<void> => {
    const { id } = await create(name, config, enabled);
    notify(enabled ? "The receiver took a test event; the integration is stored." : "Stored. It is not enabled yet.");
    go(integrationUrl(id), { replace: true });
  };
  return (
    <div class="sheet">
      <nav aria-label="Up">
        <a href={platform === undefined ? listUrl : newUrl()}>{platform === undefined ? "← All integrations" : "← Other platforms"}</a>
      </nav>
      <h1>{platform === undefined ? "Where are events to go?" : `New: ${platform.label}`}</h1>
      {platform === undefined ? (
        <Choices />
      ) : (
        <>
          <p class="quiet">{platform.about}</p>
          <ConfigForm platform={platform} config={{}} enabled mayWrite submitLabel="Create" onSubmit={store} />
        </>
      )}
    </div>
  );
}

function Choices() {
  return (
    <ul class="streaming-choices">
      {PLATFORMS.map(({ name, label, about }) => (
        <li key={name}>
          <a href={newUrl(name)}>
            <strong>{label}</strong>
            <span class="quiet">{about}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}
