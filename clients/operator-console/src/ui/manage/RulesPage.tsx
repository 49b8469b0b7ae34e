import type { SettingsPatch } from '@chat-realtime/client/staff';
import { t } from '../../i18n/index.ts';
import { saveRules } from '../../state/administration.ts';
import { notify } from '../../state/desk.ts';
import { readSettings } from '../../state/widget-settings.ts';
import { useDesk } from '../context.ts';
import { useLoaded } from '../use-loaded.ts';
import { AttachmentsForm } from './AttachmentsForm.tsx';
import { ConsentForm } from './ConsentForm.tsx';
import { CustomFieldsForm } from './CustomFieldsForm.tsx';
import { HoursForm } from './HoursForm.tsx';
import { KeysList } from './KeysList.tsx';
import { NumbersForm } from './NumbersForm.tsx';
import { Page, Waiting } from './Page.tsx';
import { OriginsForm } from './OriginsForm.tsx';
import { PrechatForm } from './PrechatForm.tsx';
import { WebhookForm } from './WebhookForm.tsx';

/** What the owner of the chat decides, a part at a time. */
export function RulesPage() {
  const { desk } = useDesk();
  const { manage } = t();
  const { loaded, reload, set } = useLoaded(() => readSettings(desk.client.api), [desk]);
  const save = async (patch: SettingsPatch): Promise<void> => {
    set(await saveRules(desk.client.api, patch));
    notify(manage.saved);
  };
  // What was saved or taken back is shown anew; what is being written in another part stays.
  const keyOf = (
    part: 'schedule' | 'prechat_fields' | 'custom_fields' | 'consent' | 'attachments' | 'origins',
  ): string => (loaded.state === 'ready' ? part + JSON.stringify(loaded.value.rules.effective[part]) : part);
  return (
    <Page page="rules">
      <p class="hint">{manage.rulesHint}</p>
      <Waiting loaded={loaded} retry={() => void reload()} />
      {loaded.state === 'ready' && (
        <>
          <HoursForm key={keyOf('schedule')} rules={loaded.value.rules} save={save} />
          <PrechatForm key={keyOf('prechat_fields')} rules={loaded.value.rules} save={save} />
          <CustomFieldsForm key={keyOf('custom_fields')} rules={loaded.value.rules} save={save} />
          <ConsentForm key={keyOf('consent')} rules={loaded.value.rules} save={save} />
          <NumbersForm part="alerts" rules={loaded.value.rules} save={save} />
          {loaded.value.webhook !== undefined && (
            <WebhookForm
              key={JSON.stringify(loaded.value.webhook)}
              rules={loaded.value.rules}
              targets={loaded.value.webhook}
              save={save}
            />
          )}
          <AttachmentsForm key={keyOf('attachments')} rules={loaded.value.rules} save={save} />
          <NumbersForm part="retention" rules={loaded.value.rules} save={save} />
          <OriginsForm key={keyOf('origins')} rules={loaded.value.rules} save={save} />
          <NumbersForm
            part="tokens"
            rules={loaded.value.rules}
            save={save}
            after={loaded.value.keys && <KeysList keys={loaded.value.keys} />}
          />
        </>
      )}
    </Page>
  );
}
