<h1><?= e($chat['name']) ?></h1>
<p><?= e($chat['external_contact']) ?><?= $chat['callback_phone'] ? ' · перезвонить: ' . e($chat['callback_phone']) : '' ?></p>
<p>
  <button data-action="/chat/<?= (int) $chat['id'] ?>/assign">Взять себе</button>
  <button data-action="/chat/<?= (int) $chat['id'] ?>/close">Закрыть</button>
</p>
<section class="chat" data-chat="<?= (int) $chat['id'] ?>" data-post="/reply">
  <ol></ol>
  <form>
    <textarea name="body" placeholder="Ответ" required></textarea>
    <button>Ответить</button>
  </form>
</section>
