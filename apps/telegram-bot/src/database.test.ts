import { type Database, openDatabase } from '@chat-realtime/database';
import { afterAll, beforeAll, describe } from 'vitest';
import { botSuite } from './testing/bot-suite.ts';
import { handlerSuite } from './testing/handler-suite.ts';
import { owedSuite } from './testing/owed-suite.ts';
import { pollerSuite } from './testing/poller-suite.ts';
import { relaySuite } from './testing/relay-suite.ts';
import { sendsSuite } from './testing/sends-suite.ts';
import { tellSuite } from './testing/tell-suite.ts';

// One database for all of them: to open one takes longer than what is shown in it.
let database: Database;
beforeAll(async () => {
  database = await openDatabase('pglite:memory');
});
afterAll(() => database.close());

const opened = (): Database => database;
describe('teller', () => {
  tellSuite(opened);
});
describe('relay', () => {
  relaySuite(opened);
});
describe('sends', () => {
  sendsSuite(opened);
});
describe('updates', () => {
  handlerSuite(opened);
});
describe('what is owed', () => {
  owedSuite(opened);
});
describe('polls', () => {
  pollerSuite(opened);
});
// Last: it empties what the others fill.
describe('the whole bot', () => {
  botSuite(opened);
});
