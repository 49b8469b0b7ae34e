import { type SiteClient, type SiteKind, openSite } from '@chat-realtime/testkit';
import { parseTableSource, type TableSourceConfig } from '../config.ts';
import { printSql } from '../print-sql.ts';

/** The tables of a small PHP site, as such sites have them. */
const TABLES: Readonly<Record<SiteKind, string>> = {
  postgresql: `CREATE TABLE chat (id bigserial PRIMARY KEY, state integer NOT NULL DEFAULT 0, manager_id integer,
      guest_name text, created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'Europe/Moscow'));
    CREATE TABLE chat_message (id bigserial PRIMARY KEY, chat_id bigint NOT NULL REFERENCES chat ON DELETE CASCADE,
      sender text NOT NULL, user_id integer, text text NOT NULL, is_note boolean NOT NULL DEFAULT false,
      created_at timestamptz NOT NULL DEFAULT now());
    CREATE INDEX ON chat_message (chat_id);
    CREATE TABLE manager (id integer PRIMARY KEY, full_name text NOT NULL)`,
  mysql: `CREATE TABLE chat (id BIGINT AUTO_INCREMENT PRIMARY KEY, state INT NOT NULL DEFAULT 0, manager_id INT,
      guest_name TEXT, created_at DATETIME NOT NULL DEFAULT '2026-03-01 15:00:00') ENGINE=InnoDB//
    CREATE TABLE chat_message (id BIGINT AUTO_INCREMENT PRIMARY KEY, chat_id BIGINT NOT NULL,
      sender VARCHAR(20) NOT NULL, user_id INT, text TEXT NOT NULL, is_note TINYINT NOT NULL DEFAULT 0,
      created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, KEY (chat_id),
      FOREIGN KEY (chat_id) REFERENCES chat (id) ON DELETE CASCADE) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4//
    CREATE TABLE manager (id INT PRIMARY KEY, full_name VARCHAR(100) NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
};

export function sampleYaml(kind: SiteKind, url: string, more = ''): string {
  return `database: ${kind}
url: ${url}
time_zone: Europe/Moscow
${more}
sessions:
  table: chat
  created_at: created_at
  status: { column: state, map: { 0: new, 1: active, 2: closed } }
  assigned: manager_id
  name: guest_name
messages:
  table: chat_message
  session: chat_id
  body: text
  created_at: created_at
  sender: { column: sender, map: { guest: client, manager: operator } }
  sender_id: user_id
  only: { is_note: [false] }
operators:
  table: manager
  name: full_name
`;
}

export interface SampleSite {
  readonly client: SiteClient;
  readonly config: TableSourceConfig;
  install(): Promise<void>;
  remove(): Promise<void>;
  /** Answers the chat's id. */
  openChat(): Promise<string>;
  write(chat: string, text: string, sender?: 'guest' | 'manager'): Promise<void>;
}

export async function sampleSite(kind: SiteKind, url: string, more?: string, connections = 40): Promise<SampleSite> {
  const client = openSite(kind, url, connections);
  await client.script(TABLES[kind]);
  const config = parseTableSource(sampleYaml(kind, url, more), { env: {} });
  return {
    client,
    config,
    install: () => client.script(printSql(config)),
    remove: () => client.script(printSql(config, { remove: true })),
    openChat: async () => {
      const [row] = await client.query("INSERT INTO chat (guest_name) VALUES ('Ольга') RETURNING id");
      return String(row?.['id']);
    },
    write: async (chat, text, sender = 'guest') => {
      await client.query('INSERT INTO chat_message (chat_id, sender, text) VALUES (?, ?, ?)', [chat, sender, text]);
    },
  };
}
