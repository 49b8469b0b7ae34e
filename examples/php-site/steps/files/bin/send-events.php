<?php
// Takes the outbox to the chat, in order, and forgets only what was taken: php bin/send-events.php
declare(strict_types=1);
require __DIR__ . '/../src/bootstrap.php';

/** Status and text of the answer; 0 where none came. */
function post(array $batch): array
{
    // PHP writes this variable only when an answer came: here it is new with each call, so none stays from the call before.
    $http_response_header = [];
    $answer = @file_get_contents(config('CHAT_URL') . '/intake/events', false, stream_context_create(['http' => [
        'method' => 'POST',
        'header' => "Content-Type: application/json\r\nAuthorization: Bearer " . config('EVENTS_API_KEY'),
        'content' => '{"events":[' . implode(',', array_column($batch, 'event')) . ']}',
        'timeout' => 10,
        'follow_location' => 0,
        'ignore_errors' => true,
    ]]));
    return [$answer === false ? 0 : (int) (explode(' ', $http_response_header[0] ?? '')[1] ?? 0), (string) $answer];
}

/** By the ids that were read: another transaction may have committed a smaller one since. */
function forget(array $batch): void
{
    $marks = implode(',', array_fill(0, count($batch), '?'));
    db()->prepare("DELETE FROM chat_outbox WHERE id IN ($marks)")->execute(array_column($batch, 'id'));
}

/** The chat will never take this one. It is kept with the reason, and the others go on. */
function putAside(array $entry, string $reason): void
{
    db()->beginTransaction();
    db()->prepare('INSERT INTO chat_outbox_refused (id, event, reason) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
        ->execute([$entry['id'], $entry['event'], $reason]);
    forget([$entry]);
    db()->commit();
    fwrite(STDERR, "event $entry[id] is refused and put into chat_outbox_refused: $reason\n");
}

/** Whether all of it is settled. Too much at once, or one refused among them: each half by itself, in order. */
function send(array $batch): bool
{
    [$status, $answer] = post($batch);
    if ($status === 200) {
        forget($batch);
        return true;
    }
    if (!in_array($status, [400, 413, 422], true)) {
        // The chat is away, or does not know the key: the site goes on, and nothing is lost.
        fwrite(STDERR, "chat answered $status: $answer\n");
        return false;
    }
    if (count($batch) === 1) {
        putAside($batch[0], "$status $answer");
        return true;
    }
    [$first, $second] = array_chunk($batch, intdiv(count($batch) + 1, 2));
    return send($first) && send($second);
}

$once = in_array('--once', $argv, true);
$wait = 1;
while (true) {
    $batch = rows('SELECT id, event FROM chat_outbox ORDER BY id LIMIT 100');
    if ($batch === []) {
        if ($once) {
            exit(0);
        }
        usleep(200_000);
    } elseif (send($batch)) {
        $wait = 1;
    } elseif ($once) {
        exit(1);
    } else {
        sleep($wait);
        $wait = min(30, $wait * 2);
    }
}
