import { FakeBotApi, HttpClient, type PostgresServer, Staff, startPostgres } from '@chat-realtime/testkit';
import { afterAll } from 'vitest';
import { SECRETS } from '../../support/profiles.ts';
import { startStandalone } from '../../support/standalone-target.ts';
import { TelegramDesk } from '../../support/telegram-desk.ts';
import { afternoonZone } from './afternoon.ts';
import { speakEnglish } from './english.ts';
import { spreadOverTheHour } from './history.ts';
import { LANGUAGE, WORDS } from './words.ts';

/** The address that `npm start` prints; in the pictures' browser it leads to the server under test. */
export const ADDRESS = 'http://127.0.0.1:8080';

export type Login = 'anna' | 'boris' | 'admin';

/** A chat with an hour of history, for people who look as if they worked in the afternoon. */
export async function startDesk() {
  // A database of its own process, so that what was seeded can be moved back in time while the chat runs.
  const database: PostgresServer = await startPostgres();
  const botApi = await FakeBotApi.start();
  const settings = {
    TELEGRAM_BOT_TOKEN: botApi.token,
    TELEGRAM_API_ROOT: botApi.url,
    DATABASE_URL: database.url,
    DEMO: 'on',
    AUTO_CLOSE_MINUTES: '0',
    RETURN_TO_QUEUE: 'never',
    ALERT_WAITING_SECONDS: '240',
    REPLY_UNSEEN_SECONDS: '2500',
  };
  const server = await startStandalone({ profile: 'main', webhookUrl: '', siteOrigin: '' }, settings);
  await spreadOverTheHour(database);
  if (LANGUAGE === 'en') await speakEnglish(database);
  const http = new HttpClient(server.baseUrl);
  const staff = (login: Login): Promise<Staff> => Staff.login(http, login, SECRETS.operatorPassword);
  const people = { anna: await staff('anna'), boris: await staff('boris'), admin: await staff('admin') };
  afterAll(async () => {
    http.close();
    await server.stop();
    await botApi.stop();
    await database.stop();
  });
  return {
    http,
    tryPath: () => server.tryPath(),
    people,
    telegram: new TelegramDesk(http, botApi),
    database,
    browser: {
      args: [`--host-resolver-rules=MAP ${new URL(ADDRESS).host} ${new URL(server.baseUrl).host}`],
      env: { FONTCONFIG_FILE: new URL('fonts.conf', import.meta.url).pathname },
    },
    look: { timezoneId: afternoonZone(), locale: WORDS.locale, colorScheme: 'light' as const },
  };
}
