<h1><?= e($title) ?></h1>
<form method="post" action="/login" class="panel">
  <?php if (isset($error)): ?><p class="error"><?= e($error) ?></p><?php endif ?>
  <label>Логин <input name="login" autocomplete="username" required></label>
  <label>Пароль <input name="password" type="password" autocomplete="current-password" required></label>
  <input type="hidden" name="back" value="<?= e($back) ?>">
  <button>Войти</button>
</form>
