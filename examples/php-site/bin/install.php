<?php
// Creates the tables and two managers: php bin/install.php
declare(strict_types=1);
require __DIR__ . '/../src/bootstrap.php';

$driver = db()->getAttribute(PDO::ATTR_DRIVER_NAME);
db()->exec(file_get_contents(__DIR__ . "/../schema.$driver.sql"));
$insert = db()->prepare('INSERT INTO manager (login, full_name, password) VALUES (?, ?, ?)');
$password = getenv('SITE_PASSWORD') ?: 'secret';
$insert->execute(['olga', 'Ольга Соколова', password_hash($password, PASSWORD_DEFAULT)]);
$insert->execute(['ivan', 'Иван Петров', password_hash($password, PASSWORD_DEFAULT)]);
echo "Tables are there. Managers: olga, ivan.\n";
