<?php
// For databases without triggers (SQLite): the outbox, and a table for refused events. Run it before CHAT_EVENTS=outbox,
// and again as often as you like. Both tables may stay if you roll back.
declare(strict_types=1);
require __DIR__ . '/../src/bootstrap.php';
$key = db()->getAttribute(PDO::ATTR_DRIVER_NAME) === 'sqlite' ? 'INTEGER PRIMARY KEY AUTOINCREMENT' : 'bigserial PRIMARY KEY';
db()->exec("CREATE TABLE IF NOT EXISTS chat_outbox (id $key, event TEXT NOT NULL)");
db()->exec('CREATE TABLE IF NOT EXISTS chat_outbox_refused (id bigint PRIMARY KEY, event TEXT NOT NULL, reason TEXT NOT NULL)');
