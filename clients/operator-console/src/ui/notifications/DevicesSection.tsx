import { pushRefusal } from '@chat-realtime/client/push';
import { useState } from 'preact/hooks';
import { dateTime, t } from '../../i18n/index.ts';
import { DEVICE_NAME_MAX } from '../../limits.ts';
import { notify } from '../../state/desk.ts';
import {
  addThisDevice,
  deviceName,
  type PushDevice,
  readDevices,
  removeDevice,
  renameDevice,
  testDevice,
} from '../../state/push-devices.ts';
import { settings } from '../../settings.ts';
import { useDesk } from '../context.ts';
import { Problem, Waiting } from '../manage/Page.tsx';
import { useLoaded } from '../use-loaded.ts';
import { useTask } from '../use-task.ts';

/** The operator's devices for notifications; this one is added here, only by a button. */
export function DevicesSection() {
  const { desk } = useDesk();
  const { notices } = t().manage;
  const { api } = desk.client;
  const { loaded, reload } = useLoaded(() => readDevices(api), [desk]);
  const { busy, problem, setProblem, run } = useTask();
  const cannot = pushRefusal();
  const add = (): void =>
    void run(async () => {
      const refusal = await addThisDevice(api, deviceName(navigator.userAgent), settings.getState().locale);
      if (refusal !== null) setProblem(notices.refusals[refusal]);
      else notify(notices.added);
      await reload();
    });
  return (
    <section data-section="devices">
      <h2>{notices.devices}</h2>
      <p class="hint">{notices.devicesHint}</p>
      <Waiting loaded={loaded} retry={() => void reload()} />
      {loaded.state === 'ready' && (
        <div class="panel">
          {loaded.value.list.length === 0 && <p class="hint">{notices.noDevices}</p>}
          <ul class="devices">
            {loaded.value.list.map((device) => (
              <DeviceRow
                key={device.id}
                device={device}
                here={device.endpoint === loaded.value.here}
                changed={() => void reload()}
              />
            ))}
          </ul>
          <Problem text={problem} />
          {loaded.value.here === null && cannot !== null && <p class="hint">{notices.refusals[cannot]}</p>}
          {loaded.value.here === null && cannot === null && (
            <div class="row-buttons wrap">
              <button type="button" class="primary" data-action="add-device" disabled={busy} onClick={add}>
                {notices.addHere}
              </button>
            </div>
          )}
        </div>
      )}
    </section>
  );
}

interface DeviceRowProps {
  readonly device: PushDevice;
  readonly here: boolean;
  readonly changed: () => void;
}

function DeviceRow({ device, here, changed }: DeviceRowProps) {
  const { desk } = useDesk();
  const { notices } = t().manage;
  const { api } = desk.client;
  const [naming, setNaming] = useState(false);
  const { busy, problem, run } = useTask();
  const test = (): void =>
    void run(async () => {
      const outcome = await testDevice(api, device.endpoint);
      notify(notices.outcomes[outcome], outcome === 'delivered' ? 'info' : 'error');
      if (outcome === 'gone') changed();
    });
  const remove = (): void =>
    void run(async () => {
      await removeDevice(api, device.endpoint, here);
      notify(notices.removed);
      changed();
    });
  const rename = (name: string): void =>
    void run(async () => {
      await renameDevice(api, device.endpoint, name);
      setNaming(false);
      changed();
    });
  return (
    <li class="device" data-device={device.id} data-here={here}>
      {naming ? (
        <form
          class="form device-name"
          onSubmit={(event) => {
            event.preventDefault();
            rename(String(new FormData(event.currentTarget).get('device')).trim());
          }}
        >
          <label>
            {notices.deviceName}
            <input
              name="device"
              required
              maxLength={DEVICE_NAME_MAX}
              pattern=".*\S.*"
              autofocus
              defaultValue={device.device ?? ''}
            />
          </label>
          <div class="row-buttons wrap">
            <button type="submit" class="primary" disabled={busy}>
              {t().save}
            </button>
            <button type="button" class="quiet" onClick={() => setNaming(false)}>
              {t().cancel}
            </button>
          </div>
        </form>
      ) : (
        <>
          <p class="device-who">
            <strong>{device.device ?? notices.unnamed}</strong>
            <span class="hint">
              {here && `${notices.here}, `}
              {notices.addedAt(dateTime(device.created_at))}
            </span>
          </p>
          <div class="row-buttons wrap">
            <button type="button" class="quiet" data-action="test-device" disabled={busy} onClick={test}>
              {notices.sendTest}
            </button>
            <button type="button" class="quiet" data-action="rename-device" onClick={() => setNaming(true)}>
              {notices.rename}
            </button>
            <button type="button" class="quiet" data-action="remove-device" disabled={busy} onClick={remove}>
              {notices.remove}
            </button>
          </div>
        </>
      )}
      <Problem text={problem} />
    </li>
  );
}
