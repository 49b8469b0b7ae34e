import { t } from '../../i18n/index.ts';
import { ownAccount } from '../../state/administration.ts';
import { useDesk } from '../context.ts';
import { Page, Waiting } from '../manage/Page.tsx';
import { PictureForm } from '../manage/PictureForm.tsx';
import { useLoaded } from '../use-loaded.ts';
import { PasswordForm } from './PasswordForm.tsx';
import { SecondFactor } from './SecondFactor.tsx';

/** One's own password and second factor. */
export function AccountPage() {
  const { desk } = useDesk();
  const { manage } = t();
  const { loaded, reload } = useLoaded(() => ownAccount(desk.client.api), [desk]);
  return (
    <Page page="account">
      <Waiting loaded={loaded} retry={() => void reload()} />
      {loaded.state === 'ready' && (
        <>
          <p class="hint">
            {loaded.value.name} · {loaded.value.login} · {manage.roles[loaded.value.role]}
          </p>
          <section data-section="picture">
            <h2>{manage.picture.title}</h2>
            <div class="panel">
              <PictureForm id={desk.user.id} name={loaded.value.name} />
            </div>
          </section>
          {loaded.value.oidc ? (
            <p>{manage.accountByProvider}</p>
          ) : (
            <>
              <PasswordForm login={loaded.value.login} />
              <SecondFactor account={loaded.value} onChanged={reload} />
            </>
          )}
        </>
      )}
    </Page>
  );
}
