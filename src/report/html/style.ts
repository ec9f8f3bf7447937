/** The style sheet of a report: one column, readable on a phone, in the dark and on paper. */
import { paletteRules } from '../palette.ts';

export const PAGE_CSS = `
${paletteRules(':root')}
:root{color-scheme:light dark}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 24px 64px}
h1{font-size:30px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:21px;line-height:1.3;margin:52px 0 14px;padding-top:14px;
  border-top:1px solid var(--line)}
h3{font-size:16px;margin:26px 0 6px}
p{margin:0 0 12px;max-width:72ch}
a{color:var(--active)}
.mute{color:var(--muted)}
.small{font-size:14px}
.lead{font-size:20px;line-height:1.45;max-width:60ch;margin:22px 0 8px;padding:4px 0 4px 18px;
border-left:5px solid var(--good)}
.lead.critical,.lead.warning{border-left-color:var(--held)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:10px;
margin:26px 0 8px;padding:0}
.tile{background:var(--panel);border-radius:8px;padding:12px 14px}
.tile dt{font-size:13px;line-height:1.35;color:var(--muted)}
.tile dd{margin:2px 0 0;font-size:26px;line-height:1.2;font-weight:650;
font-variant-numeric:tabular-nums}
.tile .before{font-size:14px;font-weight:400;color:var(--muted)}
ol.when{list-style:none;margin:0;padding:0;max-width:820px}
ol.when li{display:grid;grid-template-columns:64px 26px 1fr;gap:6px;padding:5px 0}
ol.when time{font-variant-numeric:tabular-nums;color:var(--muted);text-align:right;
padding-right:6px}
ol.when .seen{color:var(--ink)}
ol.when .done{font-weight:600}
.flag{display:inline-block;min-width:20px;height:20px;border-radius:10px;background:var(--muted);
color:var(--paper);font-size:12px;line-height:20px;font-weight:700;text-align:center}
.dot{display:inline-block;width:7px;height:7px;margin:8px 6px;border-radius:50%;
background:var(--active)}
.reason{margin:0 0 18px;padding-left:16px;border-left:3px solid var(--line);max-width:76ch}
.reason.critical{border-left-color:var(--held)}
.reason p{margin:0 0 6px}
.reason b{font-weight:650}
.severity{font-size:12px;font-weight:700;letter-spacing:.04em;text-transform:uppercase;
color:var(--muted);margin-right:8px}
.critical .severity{color:var(--held)}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:13.5px}
pre{background:var(--panel);border-radius:8px;padding:12px 14px;overflow-x:auto;margin:8px 0 16px;
line-height:1.45}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(480px,100%),1fr));
gap:30px 40px}
figure{margin:0;min-width:0}
figcaption h3{margin:0}
figcaption p{margin:0 0 6px;font-size:13.5px;color:var(--muted);line-height:1.4}
.plots svg{display:block;width:100%;height:auto;color:var(--muted);overflow:visible}
.plots .narrow{display:none}
ul.key{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;margin:0 0 2px;padding:0;
font-size:13.5px}
ul.key svg{display:inline-block;width:26px;height:8px;margin-right:6px;vertical-align:middle}
.wide-picture{overflow-x:auto;margin:14px 0 22px;border:1px solid var(--line);border-radius:8px}
.wide-picture svg{display:block}
.wide-picture svg.fits{width:100%;min-width:640px;height:auto}
.table{overflow-x:auto;margin:8px 0 18px}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums;min-width:100%}
th,td{padding:6px 12px 6px 0;text-align:right;border-bottom:1px solid var(--line);
vertical-align:top}
th{font-weight:600;color:var(--muted);line-height:1.3}
th:first-child,td:first-child,td.text,th.text{text-align:left}
td.text{min-width:180px}
dl.evidence{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;font-size:14px;
margin:6px 0 10px}
dl.evidence dt{color:var(--muted)}
dl.evidence dd{margin:0;overflow-wrap:anywhere}
details{margin:10px 0}
summary{cursor:pointer;color:var(--active)}
@media (max-width:700px){
main{padding:20px 16px 48px}
h1{font-size:25px}
.lead{font-size:18px}
.tile dd{font-size:22px}
.tiles{grid-template-columns:1fr 1fr}
.plots .wide{display:none}
.plots .narrow{display:block}
ol.when li{grid-template-columns:46px 24px 1fr}
dl.evidence{gap:2px 12px;font-size:13px}
h2,h2+p{break-after:avoid}
pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:10px 12px}
}
@media print{
@page{margin:14mm}
body{font-size:11pt}
main{max-width:none;padding:0}
h2{margin-top:28px}
h2,h3,h2+p.mute,figcaption{break-after:avoid}
figure,.reason,.tile,tr,ol.when li{break-inside:avoid}
.plots{grid-template-columns:1fr 1fr;gap:18px 22px}
.plots .wide{display:none}
.plots .narrow{display:block}
.wide-picture{overflow:visible;border:0}
.wide-picture svg,.wide-picture svg.fits{max-width:100%;min-width:0;height:auto;max-height:212mm}
h2,h2+p{break-after:avoid}
h2+p{break-inside:avoid}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
`;
