// «Новые» and «Мои» in the header of every staff page, every 5 seconds.
(() => {
  let since = Number(sessionStorage.getItem('alerts_since') || 0);
  async function poll() {
    const answer = await fetch(`/chat/alerts?since=${since}`);
    if (!answer.ok) return;
    const { unassigned, mine, latest_new: latest } = await answer.json();
    document.getElementById('badge-new').textContent = unassigned;
    document.getElementById('badge-mine').textContent = mine;
    since = latest;
    sessionStorage.setItem('alerts_since', since);
  }
  poll();
  setInterval(poll, 5000);
})();
