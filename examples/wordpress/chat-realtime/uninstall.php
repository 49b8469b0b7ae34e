<?php
// Deleting the plugin removes its data, on every site of a network.

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

function chat_realtime_forget() {
	delete_option( 'chat_realtime' );
	delete_option( 'chat_realtime_secrets' );
}

if ( is_multisite() ) {
	foreach ( get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) as $chat_realtime_site ) {
		switch_to_blog( $chat_realtime_site );
		chat_realtime_forget();
		restore_current_blog();
	}
} else {
	chat_realtime_forget();
}
