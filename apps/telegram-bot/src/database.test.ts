import { type Database, openDatabase } from '@chat-realtime/database';
import { afterAll, beforeAll, describe } from 'vitest';
import { botSuite } from './testing/bot-suite.ts';
import { handlerSuite } from './testing/handler-suite.ts';
import { pendingSuite } from './testing/pending-suite.ts';
import { pollerSuite } from './testing/poller-suite.ts';
import { feedReaderSuite } from './testing/feed-reader-suite.ts';
import { sendsSuite } from './testing/sends-suite.ts';
import { recipientsSuite } from './testing/recipients-suite.ts';

// One database for all tests: opening one takes longer than the tests.
let database: Database;
beforeAll(async () => {
  database = await openDatabase('pglite:memory');
});
afterAll(() => database.close());

const opened = (): Database => database;
describe('recipients', () => {
  recipientsSuite(opened);
});
describe('relay', () => {
  feedReaderSuite(opened);
});
describe('sends', () => {
  sendsSuite(opened);
});
describe('updates', () => {
  handlerSuite(opened);
});
describe('what is queued', () => {
  pendingSuite(opened);
});
describe('polls', () => {
  pollerSuite(opened);
});
// Last, since it empties what the others fill.
describe('the whole bot', () => {
  botSuite(opened);
});
