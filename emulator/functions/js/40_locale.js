// Formatting by locale and time zone.
function install() {}
export { install };
