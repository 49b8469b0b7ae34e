<!doctype html>
<html lang="ru">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title><?= e($title ?? '') ?></title>
  <link rel="stylesheet" href="/site.css">
</head>
<body>
<?php $me = manager(); ?>
<header>
  <a class="brand" href="/">Мастерская светильников</a>
  <?php if ($me !== null): ?>
    <nav>
      <a href="/staff">Чаты</a>
      <span class="badge">Новые <b id="badge-new">0</b></span>
      <span class="badge">Мои <b id="badge-mine">0</b></span>
      <form method="post" action="/logout"><button><?= e($me['full_name']) ?> · выйти</button></form>
    </nav>
  <?php else: ?>
    <nav><a href="/login">Сотрудникам</a></nav>
  <?php endif ?>
</header>
<main><?= $content ?></main>
<?php if ($me !== null): ?>
  <script src="/alerts.js"></script>
<?php endif ?>
<script src="/chat.js"></script>
</body>
</html>
