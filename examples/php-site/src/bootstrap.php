<?php
declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    require __DIR__ . "/$class.php";
});

function config(string $name, string $default = ''): string
{
    $value = getenv($name);
    return $value === false || $value === '' ? $default : $value;
}

function db(): PDO
{
    static $pdo = null;
    if ($pdo === null) {
        $dsn = config('SITE_DSN', 'sqlite:' . dirname(__DIR__) . '/site.sqlite');
        $pdo = new PDO($dsn, config('SITE_DB_USER') ?: null, config('SITE_DB_PASSWORD') ?: null, [
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
            // Each PHP worker keeps its connection: opening one costs more than all queries of a page.
            PDO::ATTR_PERSISTENT => config('SITE_DB_PERSISTENT') === '1',
        ]);
        if ($pdo->getAttribute(PDO::ATTR_DRIVER_NAME) === 'sqlite') {
            $pdo->exec('PRAGMA busy_timeout = 5000');
            $pdo->exec('PRAGMA journal_mode = WAL');
        }
    }
    return $pdo;
}

function row(string $sql, array $values = []): ?array
{
    $statement = db()->prepare($sql);
    $statement->execute($values);
    return $statement->fetch() ?: null;
}

function rows(string $sql, array $values = []): array
{
    $statement = db()->prepare($sql);
    $statement->execute($values);
    return $statement->fetchAll();
}

function e(?string $text): string
{
    return htmlspecialchars($text ?? '', ENT_QUOTES);
}

function json(array $data, int $status = 200): never
{
    http_response_code($status);
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    echo json_encode($data, JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);
    exit;
}

function redirect(string $to): never
{
    header("Location: $to", true, 303);
    exit;
}

/** The address after the sign-in: one of this site, whatever was requested, or the staff page. */
function ownPath(string $address): string
{
    $at = parse_url($address);
    $isOwn = is_array($at) && (!isset($at['host']) || strcasecmp($at['host'] . (isset($at['port']) ? ":$at[port]" : ''), $_SERVER['HTTP_HOST']) === 0);
    // Everything from the first slash, and never two slashes: those would name another host.
    return $isOwn && preg_match('~^/(?![/\\\\])~', $at['path'] ?? '') === 1
        ? $at['path'] . (isset($at['query']) ? "?$at[query]" : '') . (isset($at['fragment']) ? "#$at[fragment]" : '')
        : '/staff';
}

/** A form of this site, or a JSON request of its own pages. */
function input(string $name): string
{
    return given($name) ?? '';
}

/** Null means not sent, which differs from empty. */
function given(string $name): ?string
{
    static $body = null;
    $body ??= str_starts_with($_SERVER['CONTENT_TYPE'] ?? '', 'application/json')
        ? (json_decode(file_get_contents('php://input'), true) ?? [])
        : $_POST;
    return isset($body[$name]) ? trim((string) $body[$name]) : null;
}

function manager(): ?array
{
    $id = $_SESSION['manager_id'] ?? null;
    return $id === null ? null : row('SELECT id, full_name FROM manager WHERE id = ?', [$id]);
}

function requireManager(): array
{
    return manager() ?? redirect('/login');
}

/** The beginning of a text, in characters, without PHP's mbstring. */
function limit(string $text, int $characters): string
{
    return preg_match("/^.{0,$characters}/us", $text, $m) === 1 ? $m[0] : '';
}

/** The chat, for the visitor who opened it in this browser, and for managers. */
function requireChat(int $id): array
{
    $chat = Chat::find($id) ?? json(['error' => 'no such chat'], 404);
    $own = hash_equals($chat['owner_key'], (string) ($_SESSION['chats'][$id] ?? ''));
    return $own || manager() !== null ? $chat : json(['error' => 'not your chat'], 403);
}

function page(string $view, array $data = []): never
{
    extract($data);
    ob_start();
    require dirname(__DIR__) . "/views/$view.php";
    $content = ob_get_clean();
    require dirname(__DIR__) . '/views/layouts/main.php';
    exit;
}
