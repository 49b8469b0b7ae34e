import { t } from '../../i18n/index.ts';
import { Page } from '../manage/Page.tsx';
import { ChoicesForm } from './ChoicesForm.tsx';
import { DevicesSection } from './DevicesSection.tsx';
import { TelegramSection } from './TelegramSection.tsx';

/** What an operator is notified of while they are away, and how: their own choice. */
export function NotificationsPage() {
  return (
    <Page page="notifications">
      <p class="hint">{t().manage.notices.hint}</p>
      <DevicesSection />
      <ChoicesForm />
      <TelegramSection />
    </Page>
  );
}
