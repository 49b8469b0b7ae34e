// The console's own worker: what it does is the widget's, told where it is. It answers no request.
self.chatPush = { within: './', icon: 'icons/icon-192.png' };
importScripts('../widget/v1/push-worker.js');
