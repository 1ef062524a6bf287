/* Is it built with a sanitizer? They look for leaks from a process of their own, and into /proc. */
#ifndef DAEMON_SANITIZED_H
#define DAEMON_SANITIZED_H

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#else
#define SANITIZED false
#endif

#endif
