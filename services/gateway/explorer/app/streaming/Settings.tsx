/** The settings of an integration, to be read or changed. */

import { type Config, type Integration, change } from "../api/integrations";
import { notify } from "../ui/notice";
import { Text } from "../ui/Text";
import { ConfigForm } from "./ConfigForm";
import { platformOf } from "./platforms";

interface Props {
  readonly integration: Integration;
  readonly mayWrite: boolean;
  readonly onDone: () => void;
}

export function Settings({ integration, mayWrite, onDone }: Props) {
  const { id, config, enabled } = integration;
  const platform = platformOf(integration.platform);
  if (platform === undefined) {
    return (
      <p>
        This page does not know the platform <Text value={integration.platform} />.
      </p>
    );
  }
  const store = async (changes: Config, isEnabled: boolean): Promise<void> => {
    await change(id, { config: changes, ...(isEnabled === enabled ? {} : { enabled: isEnabled }) });
    notify("Stored.");
    onDone();
  };
  return <ConfigForm platform={platform} config={config} enabled={enabled} mayWrite={mayWrite} submitLabel="Store changes" onSubmit={store} />;
}
