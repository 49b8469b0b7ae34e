<h1><?= e($title) ?></h1>
<table>
  <tr><th>Клиент</th><th>Контакт</th><th>Состояние</th><th>Ведёт</th></tr>
  <?php foreach ($chats as $chat): ?>
    <tr>
      <td><a href="/staff/chat/<?= (int) $chat['id'] ?>"><?= e($chat['name']) ?></a></td>
      <td><?= e($chat['external_contact']) ?></td>
      <td><?= e($chat['status']) ?></td>
      <td><?= e($chat['manager'] ?? '—') ?></td>
    </tr>
  <?php endforeach ?>
</table>
