<?php
declare(strict_types=1);

/** The site numbers the events of each chat, and answers the gateway itself, without a ledger. */
final class Channel
{
    private const JSON = JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE;
    /** Limits of one chat and of a whole response. At least one event is returned, so that the gateway makes progress. */
    private const CHAT_BYTES = 262_144;
    private const ANSWER_BYTES = 4_194_304;

    /** For the customer's page: a token for the channel of this chat, valid for at most a day. */
    public static function customerToken(int $chatId): string
    {
        [$kid, $secret] = explode(':', config('CHAT_TOKEN_SECRET'), 2);
        $now = time();
        $signature = hash_hmac('sha256', "chat-channel\n$chatId\n$now", $secret, true);
        return "$kid.$now." . rtrim(strtr(base64_encode($signature), '+/', '-_'), '=');
    }

    /**
     * Call it in the transaction of the change. The row of the head is locked until the commit, so the numbers of a chat have
     * no gap and become visible in order. A rollback also rolls back its number.
     */
    public static function note(string $type, int $chatId, array $data): void
    {
        if (config('CHAT_EVENTS') !== 'sequence') {
            return;
        }
        $head = row('INSERT INTO chat_head (chat_id, last_seq) VALUES (?, 1)
            ON CONFLICT (chat_id) DO UPDATE SET last_seq = chat_head.last_seq + 1 RETURNING last_seq', [$chatId]);
        $assignee = Chat::find($chatId)['manager_id'] ?? null;
        db()->prepare('INSERT INTO chat_event (chat_id, seq, type, data, assignee, created_at) VALUES (?, ?, ?, ?, ?, ?)')
            ->execute([$chatId, $head['last_seq'], $type, json_encode($data, self::JSON), $assignee, self::time('now')]);
    }

    /** The two calls of the gateway; other requests are passed on. */
    public static function answerGateway(string $path): void
    {
        if (!in_array($path, ['/channel-api/catchup', '/channel-api/acks'], true)) {
            return;
        }
        $key = 'Bearer ' . config('INTERNAL_API_KEY');
        if (config('INTERNAL_API_KEY') === '' || !hash_equals($key, $_SERVER['HTTP_AUTHORIZATION'] ?? '')) {
            json(['error' => 'wrong key'], 401);
        }
        $asked = json_decode(file_get_contents('php://input'), true, 16, JSON_THROW_ON_ERROR);
        if ($path === '/channel-api/catchup') {
            json(['sessions' => self::catchup($asked['sessions'], min(500, (int) $asked['limit']))]);
        }
        foreach ($asked['acks'] as $ack) {
            self::seen((int) $ack['session_id'], (string) $ack['participant'], (int) $ack['last_id']);
        }
        http_response_code(204);
        exit;
    }

    /** Heads of all requested chats, and the events after `after_seq` if it is given. An unknown chat is left out. */
    private static function catchup(array $sessions, int $limit): array
    {
        $heads = self::heads(array_column($sessions, 'id'));
        $answers = [];
        $room = self::ANSWER_BYTES;
        foreach ($sessions as $index => $session) {
            $id = (int) $session['id'];
            if (!isset($heads[$id])) {
                continue;
            }
            $events = [];
            if (isset($session['after_seq'])) {
                $share = min(self::CHAT_BYTES, intdiv($room, count($sessions) - $index));
                $events = self::events($id, (int) $session['after_seq'], $limit, $share);
                $room -= strlen(json_encode($events, self::JSON));
            }
            $reached = $events === [] ? (int) ($session['after_seq'] ?? $heads[$id]) : end($events)['seq'];
            $answers[] = ['id' => $id, 'last_seq' => $heads[$id], 'events' => $events, 'has_more' => $reached < $heads[$id]];
        }
        return $answers;
    }

    /** A chat from before this step has no events: its head is 0. */
    private static function heads(array $ids): array
    {
        $heads = [];
        foreach (array_chunk(array_map('intval', $ids), 500) as $some) {
            $marks = implode(',', array_fill(0, count($some), '?'));
            $found = rows("SELECT c.id, h.last_seq FROM chat c LEFT JOIN chat_head h ON h.chat_id = c.id WHERE c.id IN ($marks)", $some);
            foreach ($found as $chat) {
                $heads[(int) $chat['id']] = (int) ($chat['last_seq'] ?? 0);
            }
        }
        return $heads;
    }

    private static function events(int $id, int $after, int $limit, int $bytes): array
    {
        $read = db()->prepare("SELECT seq, type, data FROM chat_event WHERE chat_id = ? AND seq > ? ORDER BY seq LIMIT $limit");
        $read->execute([$id, $after]);
        $events = [];
        while (($event = $read->fetch()) !== false) {
            $bytes -= strlen($event['data']) + 100;
            if ($bytes < 0 && $events !== []) {
                break;
            }
            $events[] = ['type' => $event['type'], 'session_id' => $id, 'seq' => (int) $event['seq'], 'data' => json_decode($event['data'])];
        }
        $read->closeCursor();
        return $events;
    }

    /** The last message a participant has received; it never goes back. */
    private static function seen(int $id, string $participant, int $lastId): void
    {
        if (Chat::find($id) === null) {
            return;
        }
        db()->prepare('INSERT INTO chat_seen (chat_id, participant, last_id) VALUES (?, ?, ?) ON CONFLICT (chat_id, participant)
            DO UPDATE SET last_id = excluded.last_id WHERE chat_seen.last_id < excluded.last_id')->execute([$id, $participant, $lastId]);
    }

    /** Accepts a time in the format of any database (PostgreSQL: `2026-03-01 12:00:00+03`). */
    public static function time(string $moment): string
    {
        $utc = new DateTimeZone('UTC');
        return (new DateTimeImmutable($moment, $utc))->setTimezone($utc)->format('Y-m-d\TH:i:s.v\Z');
    }
}
