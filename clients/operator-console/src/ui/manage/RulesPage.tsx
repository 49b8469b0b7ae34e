import { ChatClientError, type SettingsPatch, type SettingsPart } from '@chat-realtime/client/staff';
import { useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { saveRules } from '../../state/administration.ts';
import { notify } from '../../state/desk.ts';
import { isConflict, SeenSettings, type SettingsConflict } from '../../state/seen-settings.ts';
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
import { RulesEdit } from './rules-form.ts';
import { WebhookForm } from './WebhookForm.tsx';

/** The decisions of the chat's owner, one part at a time. */
export function RulesPage() {
  const { desk } = useDesk();
  const { manage } = t();
  const { loaded, reload, set } = useLoaded(() => readSettings(desk.client.api), [desk]);
  const seen = useRef<SeenSettings | undefined>(undefined);
  const [conflict, setConflict] = useState<SettingsConflict | null>(null);
  const [versions, setVersions] = useState<Readonly<Record<string, number>>>({});
  // Saved or cleared values are shown at once; a draft in another part stays.
  const showAnew = (parts: readonly string[]): void =>
    setVersions((before) => ({
      ...before,
      ...Object.fromEntries(parts.map((part) => [part, (before[part] ?? 0) + 1])),
    }));
  const save = async (patch: SettingsPatch): Promise<void> => {
    if (loaded.state !== 'ready') return;
    seen.current ??= new SeenSettings(loaded.value);
    const answer = await seen.current.save(patch, (sent) => saveRules(desk.client.api, sent));
    if (isConflict(answer)) {
      setConflict(answer);
      set(answer.settings);
      throw new ChatClientError('stale');
    }
    setConflict(null);
    set(answer);
    showAnew(Object.keys(patch));
    notify(manage.saved);
  };
  const take = (): void => {
    showAnew(conflict?.parts ?? []);
    setConflict(null);
  };
  const keyOf = (part: SettingsPart): string => `${part} ${versions[part] ?? 0}`;
  return (
    <Page page="rules">
      <p class="hint">{manage.rulesHint}</p>
      <Waiting loaded={loaded} retry={() => void reload()} />
      {loaded.state === 'ready' && (
        <RulesEdit.Provider value={{ conflict, take }}>
          <HoursForm key={keyOf('schedule')} rules={loaded.value.rules} save={save} />
          <PrechatForm key={keyOf('prechat_fields')} rules={loaded.value.rules} save={save} />
          <CustomFieldsForm key={keyOf('custom_fields')} rules={loaded.value.rules} save={save} />
          <ConsentForm key={keyOf('consent')} rules={loaded.value.rules} save={save} />
          <NumbersForm key={keyOf('alerts')} part="alerts" rules={loaded.value.rules} save={save} />
          {loaded.value.webhook !== undefined && (
            <WebhookForm key={keyOf('webhook')} rules={loaded.value.rules} targets={loaded.value.webhook} save={save} />
          )}
          <AttachmentsForm key={keyOf('attachments')} rules={loaded.value.rules} save={save} />
          <NumbersForm key={keyOf('retention')} part="retention" rules={loaded.value.rules} save={save} />
          <OriginsForm key={keyOf('origins')} rules={loaded.value.rules} save={save} />
          <NumbersForm
            key={keyOf('tokens')}
            part="tokens"
            rules={loaded.value.rules}
            save={save}
            after={loaded.value.keys && <KeysList keys={loaded.value.keys} />}
          />
        </RulesEdit.Provider>
      )}
    </Page>
  );
}
