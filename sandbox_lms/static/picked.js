// The dialog's frame has done its work: the page around it goes on.
const nextAddress = document.querySelector('meta[name="next-address"]').content;
(window.opener && window.parent === window ? window : window.parent).location.assign(nextAddress);
