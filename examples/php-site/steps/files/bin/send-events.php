<?php
// Sends the outbox to the chat, in order, and deletes only what was accepted: php bin/send-events.php
declare(strict_types=1);
require __DIR__ . '/../src/bootstrap.php';

/** Status and text of the response; status 0 if there was none. */
function post(array $batch): array
{
    // PHP sets this variable only if there was a response. Here it is new in each call, so none is left from the last one.
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

/** Deletes by the ids that were read: another transaction may have committed a smaller id since. */
function forget(array $batch): void
{
    $marks = implode(',', array_fill(0, count($batch), '?'));
    db()->prepare("DELETE FROM chat_outbox WHERE id IN ($marks)")->execute(array_column($batch, 'id'));
}

/** The chat will never accept this event. It is kept with the reason, and the others continue. */
function putAside(array $entry, string $reason): void
{
    db()->beginTransaction();
    db()->prepare('INSERT INTO chat_outbox_refused (id, event, reason) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
        ->execute([$entry['id'], $entry['event'], $reason]);
    forget([$entry]);
    db()->commit();
    fwrite(STDERR, "event $entry[id] is refused and put into chat_outbox_refused: $reason\n");
}

/** Whether all events are settled. If they are too many, or one is refused, each half is sent separately, in order. */
function send(array $batch): bool
{
    [$status, $answer] = post($batch);
    if ($status === 200) {
        forget($batch);
        return true;
    }
    if (!in_array($status, [400, 413, 422], true)) {
        // The chat is unavailable, or does not know the key: the site continues, and nothing is lost.
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
