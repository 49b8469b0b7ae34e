<?php
declare(strict_types=1);

final class Chat
{
    public static function find(int $id): ?array
    {
        return row('SELECT * FROM chat WHERE id = ?', [$id]);
    }

    /**
     * A write to a chat waits for the current one: otherwise `since_id` would skip a message that got the smaller id and
     * is committed later. SQLite allows one write at a time anyway.
     */
    private static function lock(int $id): array
    {
        $one = db()->getAttribute(PDO::ATTR_DRIVER_NAME) === 'sqlite' ? '' : ' FOR UPDATE';
        return row("SELECT * FROM chat WHERE id = ?$one", [$id]);
    }

    public static function open(string $name, string $contact, string $message): array
    {
        return self::transaction(function () use ($name, $contact, $message): array {
            $key = bin2hex(random_bytes(16));
            $chat = row(
                'INSERT INTO chat (name, external_contact, owner_key, created_at) VALUES (?, ?, ?, ?) RETURNING *',
                [$name, $contact, $key, self::now()],
            );
            if ($message !== '') {
                self::addMessage((int) $chat['id'], 'client', null, $message);
            }
            return $chat;
        });
    }

    public static function write(int $id, string $sender, ?int $managerId, string $body): array
    {
        return self::transaction(function () use ($id, $sender, $managerId, $body): array {
            $chat = self::lock($id);
            if ($sender === 'client' && $chat['status'] === 'closed') {
                self::setStatus($id, 'new', null);
            }
            if ($sender === 'manager' && $chat['manager_id'] === null) {
                self::setStatus($id, 'active', $managerId);
            }
            return self::addMessage($id, $sender, $managerId, $body);
        });
    }

    public static function assign(int $id, int $managerId): void
    {
        self::transaction(fn () => self::setStatus($id, 'active', $managerId));
    }

    public static function close(int $id): void
    {
        self::transaction(fn () => self::setStatus($id, 'closed', (int) self::find($id)['manager_id'] ?: null));
    }

    public static function requestCallback(int $id, ?string $phone): void
    {
        db()->prepare('UPDATE chat SET callback_phone = ? WHERE id = ?')->execute([$phone, $id]);
    }

    /** Null leaves a field as it is. */
    public static function setContact(int $id, ?string $name, ?string $contact): void
    {
        db()->prepare('UPDATE chat SET name = coalesce(?, name), external_contact = coalesce(?, external_contact) WHERE id = ?')
            ->execute([$name === null ? null : limit($name, 200), $contact === null ? null : limit($contact, 200), $id]);
    }

    public static function messages(int $id, int $since): array
    {
        return rows(
            'SELECT m.id, m.sender, m.body, m.created_at, g.full_name AS manager FROM chat_message m
             LEFT JOIN manager g ON g.id = m.manager_id WHERE m.chat_id = ? AND m.id > ? ORDER BY m.id LIMIT 200',
            [$id, $since],
        );
    }

    public static function list(): array
    {
        return rows(
            "SELECT c.*, g.full_name AS manager, (SELECT max(m.id) FROM chat_message m WHERE m.chat_id = c.id) AS last_id
             FROM chat c LEFT JOIN manager g ON g.id = c.manager_id WHERE c.status <> 'closed' ORDER BY last_id DESC",
        );
    }

    public static function callbacks(): array
    {
        return rows(
            "SELECT id, id AS session_id, name, callback_phone AS phone, manager_id AS assigned_user_id, created_at,
               CASE WHEN manager_id IS NULL THEN 'new' ELSE 'assigned' END AS status
             FROM chat WHERE callback_phone <> '' ORDER BY id",
        );
    }

    /** For the header of every staff page. A chat waits while its last message is the customer's. */
    public static function alerts(int $managerId, int $since): array
    {
        $waiting = rows(
            "SELECT c.manager_id, m.id FROM chat c JOIN chat_message m ON m.chat_id = c.id
             WHERE c.status <> 'closed' AND m.sender = 'client'
               AND m.id = (SELECT max(n.id) FROM chat_message n WHERE n.chat_id = c.id)",
        );
        $new = array_filter($waiting, fn ($w) => $w['manager_id'] === null);
        $mine = array_filter($waiting, fn ($w) => (int) $w['manager_id'] === $managerId);
        return [
            'latest_new' => max([0, ...array_column($waiting, 'id')]),
            'unassigned' => count($new),
            'mine' => count($mine),
            'has_new_dialogs' => max([0, ...array_column($new, 'id')]) > $since,
            'has_my_updates' => max([0, ...array_column($mine, 'id')]) > $since,
        ];
    }

    private static function addMessage(int $id, string $sender, ?int $managerId, string $body): array
    {
        return row(
            'INSERT INTO chat_message (chat_id, sender, manager_id, body, created_at) VALUES (?, ?, ?, ?, ?) RETURNING *',
            [$id, $sender, $managerId, $body, self::now()],
        );
    }

    private static function setStatus(int $id, string $status, ?int $managerId): void
    {
        db()->prepare('UPDATE chat SET status = ?, manager_id = ? WHERE id = ?')->execute([$status, $managerId, $id]);
    }

    private static function transaction(callable $work): mixed
    {
        // SQLite refuses a transaction that reads first and writes later while another writes; one that begins with a write waits.
        $sqlite = db()->getAttribute(PDO::ATTR_DRIVER_NAME) === 'sqlite';
        db()->exec($sqlite ? 'BEGIN IMMEDIATE' : 'BEGIN');
        try {
            $result = $work();
            db()->exec('COMMIT');
            return $result;
        } catch (Throwable $error) {
            db()->exec('ROLLBACK');
            throw $error;
        }
    }

    private static function now(): string
    {
        return gmdate('Y-m-d\TH:i:s\Z');
    }
}
