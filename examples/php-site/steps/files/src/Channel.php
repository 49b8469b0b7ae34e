<?php
declare(strict_types=1);

/** What the chat's channel needs from the site: tokens, and events if no triggers record them. */
final class Channel
{
    /** Unescaped letters are half as long, and invalid UTF-8 from a visitor must not fail a write of the site. */
    private const JSON = JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE;

    /** For the customer's page: a token for the channel of this chat, valid for at most a day. */
    public static function customerToken(int $chatId): string
    {
        [$kid, $secret] = explode(':', config('CHAT_TOKEN_SECRET'), 2);
        $now = time();
        return "$kid.$now." . self::base64url(hash_hmac('sha256', "chat-channel\n$chatId\n$now", $secret, true));
    }

    /** For staff pages: a JWT (HS256) that names the person who is signed in here. */
    public static function staffToken(array $manager): string
    {
        $now = time();
        $part = fn (array $claims): string => self::base64url(json_encode($claims, self::JSON));
        $text = $part(['alg' => 'HS256', 'typ' => 'JWT']) . '.' . $part([
            'iss' => config('AUTH_ISSUER'),
            'aud' => config('AUTH_AUDIENCE'),
            'sub' => (string) $manager['id'],
            'name' => $manager['full_name'],
            'role' => 'operator',
            'iat' => $now,
            'exp' => $now + 3600,
        ]);
        return "$text." . self::base64url(hash_hmac('sha256', $text, config('AUTH_JWT_SECRET'), true));
    }

    /** Call it in the transaction of the change. On PostgreSQL and MySQL the triggers do this instead. */
    public static function note(string $type, int $chatId, array $data): void
    {
        if (config('CHAT_EVENTS') !== 'outbox') {
            return;
        }
        $event = ['type' => $type, 'session_id' => $chatId, 'message_id' => bin2hex(random_bytes(16)), 'data' => $data];
        db()->prepare('INSERT INTO chat_outbox (event) VALUES (?)')->execute([json_encode($event, self::JSON)]);
    }

    /** Whether an alert was signed by the chat, within the last five minutes. */
    public static function isSigned(string $header, string $body): bool
    {
        if (preg_match('~^t=(\d+),v1=([0-9a-f]{64})$~', $header, $m) !== 1 || abs(time() - (int) $m[1]) > 300) {
            return false;
        }
        return hash_equals(hash_hmac('sha256', "$m[1].$body", config('ALERT_WEBHOOK_SECRET')), $m[2]);
    }

    private static function base64url(string $bytes): string
    {
        return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    }

    /** Accepts a time in the format of any database (PostgreSQL: `2026-03-01 12:00:00+03`). */
    public static function time(string $moment): string
    {
        return (new DateTimeImmutable($moment, new DateTimeZone('UTC')))
            ->setTimezone(new DateTimeZone('UTC'))
            ->format('Y-m-d\TH:i:s.v\Z');
    }
}
