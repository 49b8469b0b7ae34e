<?php
// php -S 127.0.0.1:8000 -t public public/index.php
declare(strict_types=1);

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if (PHP_SAPI === 'cli-server' && $path !== '/' && is_file(__DIR__ . $path)) {
    return false;
}
require dirname(__DIR__) . '/src/bootstrap.php';
session_start(['cookie_httponly' => true, 'cookie_samesite' => 'Lax', 'read_and_close' => false]);
$route = $_SERVER['REQUEST_METHOD'] . ' ' . $path;

switch (true) {
    case $route === 'GET /':
        page('home', ['title' => 'Мастерская светильников']);

    case $route === 'POST /chat/session':
        $name = limit(input('name'), 100) ?: 'Гость';
        $chat = Chat::open($name, limit(input('external_contact'), 200), limit(input('initial_message'), 5000));
        $_SESSION['chats'][$chat['id']] = $chat['owner_key'];
        json(['id' => (int) $chat['id'], 'status' => $chat['status']], 201);

    case preg_match('~^POST /chat/(\d+)/message$~', $route, $m) === 1:
        requireChat((int) $m[1]);
        $body = limit(input('body'), 5000);
        $body === '' ? json(['error' => 'empty'], 422) : json(Chat::write((int) $m[1], 'client', null, $body), 201);

    case preg_match('~^POST /chat/(\d+)/callback$~', $route, $m) === 1:
        requireChat((int) $m[1]);
        Chat::requestCallback((int) $m[1], limit(input('phone'), 50));
        json(['ok' => true]);

    case $route === 'GET /chat/alerts':
        json(Chat::alerts((int) requireManager()['id'], (int) ($_GET['since'] ?? 0)));

    case preg_match('~^GET /chat/(\d+)$~', $route, $m) === 1:
        $chat = requireChat((int) $m[1]);
        json(['status' => $chat['status'], 'messages' => Chat::messages((int) $m[1], (int) ($_GET['since_id'] ?? 0))]);

    case preg_match('~^POST /chat/(\d+)/(assign|reply|close)$~', $route, $m) === 1:
        $manager = requireManager();
        requireChat((int) $m[1]);
        if ($m[2] === 'assign') {
            // To a colleague, or to the caller.
            $to = input('user_id') === '' ? $manager : row('SELECT * FROM manager WHERE id = ?', [(int) input('user_id')]);
            Chat::assign((int) $m[1], (int) ($to['id'] ?? json(['error' => 'no such manager'], 422)));
        } elseif ($m[2] === 'close') {
            Chat::close((int) $m[1]);
        } else {
            json(Chat::write((int) $m[1], 'manager', (int) $manager['id'], limit(input('body'), 5000)), 201);
        }
        json(['ok' => true]);

    case $route === 'GET /login':
        page('login', ['title' => 'Вход', 'back' => ownPath((string) ($_GET['back'] ?? ''))]);

    case $route === 'POST /login':
        $found = row('SELECT * FROM manager WHERE login = ?', [input('login')]);
        if ($found === null || !password_verify(input('password'), $found['password'])) {
            page('login', ['title' => 'Вход', 'back' => ownPath(input('back')), 'error' => 'Неверный логин или пароль']);
        }
        session_regenerate_id(true);
        $_SESSION['manager_id'] = $found['id'];
        redirect(ownPath(input('back')));

    case $route === 'POST /logout':
        unset($_SESSION['manager_id']);
        session_regenerate_id(true);
        redirect('/');

    case $route === 'GET /staff':
        requireManager();
        page('staff/list', ['title' => 'Чаты', 'chats' => Chat::list()]);

    case preg_match('~^GET /staff/chat/(\d+)$~', $route, $m) === 1:
        requireManager();
        page('staff/chat', ['title' => 'Чат ' . $m[1], 'chat' => requireChat((int) $m[1])]);

    // Callback requests and their completion, for a console that lists them.
    case $route === 'GET /staff/callbacks':
        requireManager();
        json(['items' => Chat::callbacks()]);

    case preg_match('~^POST /staff/callbacks/(\d+)/done$~', $route, $m) === 1:
        requireManager();
        requireChat((int) $m[1]);
        Chat::requestCallback((int) $m[1], null);
        json(['ok' => true]);

    // Contact data that a manager has learned, for a console that changes it.
    case preg_match('~^POST /staff/chat/(\d+)/contact$~', $route, $m) === 1:
        requireManager();
        requireChat((int) $m[1]);
        Chat::setContact((int) $m[1], given('name'), given('external_contact'));
        json(['ok' => true]);

    default:
        http_response_code(404);
        page('home', ['title' => 'Страница не найдена']);
}
