<h1><?= e($title) ?></h1>
<p>Светильники из дерева и латуни. Спросите нас о чём угодно.</p>
<section class="chat" data-chat data-post="/message">
  <ol></ol>
  <form>
    <input name="name" placeholder="Как вас зовут" data-first>
    <input name="external_contact" placeholder="Телефон или почта" data-first>
    <textarea name="body" placeholder="Сообщение" required></textarea>
    <button>Отправить</button>
  </form>
</section>
