<?php
// Publishes events to the channel, in order: php bin/publish-events.php, as a service that restarts automatically.
// Run only one. Debian: apt-get install php-amqplib
declare(strict_types=1);
require 'PhpAmqpLib/autoload.php';
require __DIR__ . '/../src/bootstrap.php';

use PhpAmqpLib\Channel\AMQPChannel;
use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;

const JSON = JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES;

function broker(): AMQPChannel
{
    $at = parse_url(config('RABBITMQ_URL'));
    $vhost = rawurldecode(ltrim($at['path'] ?? '', '/')) ?: '/';
    $user = rawurldecode($at['user'] ?? 'guest');
    $password = rawurldecode($at['pass'] ?? 'guest');
    $connection = new AMQPStreamConnection($at['host'], $at['port'] ?? 5672, $user, $password, $vhost, read_write_timeout: 30, heartbeat: 10);
    $channel = $connection->channel();
    $channel->confirm_select();
    // Confirmed, but in no queue: the channel has not declared its queue yet.
    $channel->set_return_listener(static fn (int $code, string $text) => throw new RuntimeException("returned: $code $text"));
    $channel->set_nack_handler(static fn () => throw new RuntimeException('the broker did not take it'));
    return $channel;
}

function publish(AMQPChannel $channel, array $events): void
{
    foreach ($events as $event) {
        [$id, $seq] = [(int) $event['chat_id'], (int) $event['seq']];
        $body = [
            'v' => 1, 'type' => $event['type'], 'session_id' => $id, 'seq' => $seq, 'data' => json_decode($event['data']),
            'subscribers' => ['session_id' => $id, 'assigned_user_id' => $event['assignee']],
            'occurred_at' => $event['created_at'],
        ];
        $message = new AMQPMessage(json_encode($body, JSON), [
            'content_type' => 'application/json',
            'delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT,
            'message_id' => "$id:$seq",
        ]);
        $key = $event['type'] === 'chat.message' ? 'chat.message.sent' : 'chat.session.updated';
        $channel->basic_publish($message, 'chat.events', $key, true);
    }
    $channel->wait_for_pending_acks_returns(10);
}

$once = in_array('--once', $argv, true);
$wait = 1;
$channel = null;
while (true) {
    try {
        $channel ??= broker();
        $events = rows('SELECT * FROM chat_event WHERE published = 0 ORDER BY id LIMIT 100');
        if ($events !== []) {
            publish($channel, $events);
            // Deletes by the ids that were read: another transaction may have committed a smaller id since.
            $marks = implode(',', array_fill(0, count($events), '?'));
            db()->prepare("UPDATE chat_event SET published = 1 WHERE id IN ($marks)")->execute(array_column($events, 'id'));
        } elseif ($once) {
            exit(0);
        } else {
            usleep(50_000);
            $channel->getConnection()?->checkHeartBeat();
        }
        $wait = 1;
    } catch (Throwable $error) {
        // The broker is unavailable: the site continues, and what is not confirmed is published again.
        fwrite(STDERR, $error->getMessage() . "\n");
        // A restart renews a broken connection to the database.
        if ($once || $error instanceof PDOException) {
            exit(1);
        }
        $channel = null;
        sleep($wait);
        $wait = min(30, $wait * 2);
    }
}
