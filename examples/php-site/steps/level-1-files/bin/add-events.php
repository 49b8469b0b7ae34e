<?php
// Level 1: the site numbers the events of each chat itself. Run it before CHAT_EVENTS=sequence, as often as you like.
declare(strict_types=1);
require __DIR__ . '/../src/bootstrap.php';
$key = db()->getAttribute(PDO::ATTR_DRIVER_NAME) === 'sqlite' ? 'INTEGER PRIMARY KEY AUTOINCREMENT' : 'bigserial PRIMARY KEY';
db()->exec('CREATE TABLE IF NOT EXISTS chat_head (chat_id bigint PRIMARY KEY, last_seq bigint NOT NULL)');
db()->exec("CREATE TABLE IF NOT EXISTS chat_event (id $key, chat_id bigint NOT NULL, seq bigint NOT NULL, type text NOT NULL,
  data text NOT NULL, assignee text, created_at text NOT NULL, published integer NOT NULL DEFAULT 0, UNIQUE (chat_id, seq))");
db()->exec('CREATE INDEX IF NOT EXISTS chat_event_unpublished ON chat_event (id) WHERE published = 0');
db()->exec('CREATE TABLE IF NOT EXISTS chat_seen (chat_id bigint NOT NULL, participant text NOT NULL, last_id bigint NOT NULL,
  PRIMARY KEY (chat_id, participant))');
