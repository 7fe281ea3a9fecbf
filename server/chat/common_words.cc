#include <sstream>
#include <unordered_set>

#include "server/chat/common_passwords.h"

namespace holdfast::chat {
namespace {

/// What the lists of leaked passwords have most of, brought down to the words in them: digits, signs and capitals around
/// and within are undone before it is looked up.
constexpr const char* kWords = R"(
password passwort passwd pass passw passwor passphrase motdepasse contrasena contrasenya senha wachtwoord parola haslo
salasana losenord kennwort geheim secret secreto segreto admin administrator administrador root toor user username guest
test testing tester teste login logon welcome willkommen bienvenue benvenuto bienvenido default changeme change temp
temporary letmein letmeinnow opensesame sesame access master supervisor superuser system computer internet server network
private public security secure office company manager service support office windows microsoft google facebook twitter
instagram youtube linkedin whatsapp telegram snapchat tiktok discord apple iphone ipad android samsung nokia motorola
huawei oracle linux ubuntu debian cisco dell lenovo toshiba sony nintendo playstation xbox mario zelda pokemon pikachu
charizard minecraft fortnite roblox warcraft starcraft diablo counter strike halo doom quake tetris
qwerty qwertyuiop qwertyui qwert qwer asdf asdfgh asdfghjkl asdfasdf asdasd zxcv zxcvbn zxcvbnm qazwsx qazwsxedc wsxedc
azerty azertyuiop qwertz qwertzuiop yxcvbnm qweasd qweasdzxc asdqwe poiuytrewq lkjhgfdsa mnbvcxz abcdef abcdefg abcdefgh
abcabc aaaaaa abc xyz iloveyou iloveu ilove love loveme lovely lover loves loveyou loving mylove myloves teamo tequiero
jetaime ichliebedich liebe amore amor amour kochamcie baby babygirl babyboy honey sweetheart sweety sweetie darling
sunshine princess prince princesa princesse prinzessin queen king angel angels angelo angelina heaven butterfly flower
flowers blossom rainbow star stars starlight moonlight moon sun sunny sunflower summer winter spring autumn fall january
february march april may june july august september october november december sommer fruehling herbst januar februar maerz
juni juli oktober dezember monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag
freitag samstag sonntag monkey dragon tiger lion panther wolf wolves bear bears eagle eagles falcon falcons hawk hawks
shark dolphin dolphins horse horses pony kitten kitty cat cats dog dogs puppy doggy bunny rabbit hamster mouse elephant
giraffe penguin turtle snake spider scorpion cobra viper phoenix unicorn dinosaur mickey minnie donald goofy pluto bambi
simba nemo snoopy garfield tweety scooby spongebob shrek batman superman spiderman ironman wolverine hulk thor avengers
joker matrix neo trinity morpheus starwars skywalker darthvader vader yoda jedi leia chewbacca startrek enterprise spock
picard gandalf frodo legolas aragorn hobbit harrypotter potter hermione hogwarts dumbledore voldemort sherlock
football soccer baseball basketball hockey tennis golf golfer rugby cricket volleyball softball swimming running skater
skateboard snowboard surfer surfing boxing karate wrestling fussball futbol futebol calcio arsenal chelsea liverpool
everton tottenham manchester united barcelona realmadrid madrid juventus juve milan inter napoli bayern dortmund schalke
borussia hamburg werder ajax feyenoord celtic rangers benfica porto sporting galatasaray fenerbahce besiktas flamengo
corinthians palmeiras ronaldo messi neymar zidane beckham maradona pele yankees redsox lakers bulls celtics cowboys
steelers packers raiders broncos patriots giants dodgers cubs mustang ferrari porsche mercedes corvette camaro chevrolet
chevy ford toyota honda yamaha suzuki kawasaki harley davidson ducati nissan subaru mazda hyundai audi volkswagen jaguar
lamborghini maserati bugatti toyota truck trucker racing driver
michael jennifer jessica michelle nicole daniel ashley matthew andrew anthony joshua robert thomas charlie charles jordan
william george richard joseph james john david maria mary anna anne annie anne sarah sara laura lisa linda susan karen
nancy betty helen sandra donna carol ruth sharon barbara elizabeth patricia margaret dorothy kimberly deborah stephanie
rebecca amanda melissa samantha brandon justin tyler taylor alexander alexandra alexandre alexandru alexis alex alejandro
alejandra andrea andreas andrei antonio antonia marco martin martina martinez marie marina mario carlos carolina caroline
catherine christian christina christine christopher cristina claudia daniela diana diego dominik dominic eduardo elena
emily emma eric erik eva felix fernando florian francesco francesca francisco frank franziska gabriel gabriela giovanni
giuseppe gonzalez guillermo hannah hans heather helmut henry isabella isabelle ivan jakob jan jasmin jasmine javier jean
joao johannes johanna jonas jonathan jorge jose juan julia julian juliana julie karl karin katharina katrin kevin klaus
lars lea leon leonardo lucas lukas luca lucia luis luisa manuel manuela marcel marcus markus mateo mathias matthias
maximilian max megan melanie mia miguel mohamed mohammed muhammad ahmed ali mustafa mehmet fatma natalia natalie natasha
nicolas nicholas nikolaus nina oliver olivia pablo paolo pascal patrick paul paula paulina pedro peter petra philip
philipp pierre rachel rafael ricardo roberto rodrigo rosa ryan sabine sabrina samuel sandy sasha scott sebastian sergey
sergio simon simone sofia sophia sophie stefan stefanie stephen steven sven svetlana tanja tatiana teresa thorsten tim
tobias tom uwe valentina valeria vanessa vera veronica veronika victor victoria vincent vladimir wolfgang yasmin yvonne
zoe nathan benjamin jacob ethan logan mason dylan hunter austin cameron zachary kyle sean shannon courtney danielle
brittany chelsea crystal amber tiffany destiny hailey madison abigail chloe grace hope faith joy trustno trustnoone
trust nobody whatever nothing something anything everything forever always never together freedom liberty justice peace
hello hallo hola bonjour ciao salut hi hey goodbye thankyou thanks please sorry yes no okay cool awesome super great good
best perfect beautiful pretty handsome sexy hot hottie cute smile smiley happy lucky luck crazy funny silly stupid idiot
dumbass loser winner killer hacker cracker ninja samurai warrior soldier army marine navy airforce military police
captain major general sergeant colonel pirate pirates viking gladiator spartan titan zeus apollo athena hercules achilles
merlin arthur camelot excalibur wizard witch magic magician mystic shadow ghost vampire zombie demon devil lucifer satan
hell diablo angel god jesus christ jesuschrist christian bible church amen allah islam buddha krishna shiva ganesh
godisgood blessed blessing family mother father mommy daddy mom dad mama papa mamma mutter vater brother sister
grandma grandpa friend friends bestfriend bestfriends girlfriend boyfriend husband wife son daughter children child
money dollar euro bitcoin business success rich million millionaire gold golden silver diamond platinum pearl ruby
sapphire emerald crystal chocolate cookie cookies candy sugar cheese butter peanut banana orange apple apples lemon
cherry strawberry blueberry peaches peach mango coconut pumpkin potato tomato pepper ginger garlic coffee tea beer
whiskey vodka tequila heineken budweiser corona guinness bacon pizza burger chicken turkey spaghetti macaroni pasta
red blue green yellow black white purple pink brown gray grey silver rot blau gruen gelb schwarz weiss rouge bleu vert
noir blanc rojo azul verde negro blanco one two three four five six seven eight nine ten eins zwei drei uno dos tres
guitar piano drums music musica musik metal metallica nirvana slipknot greenday linkinpark linkin park eminem tupac
madonna beyonce rihanna shakira britney beatles elvis queen acdc ironmaiden megadeth pantera blink rockstar rock roll
rocker hiphop techno trance dance dancer dancing singer singing america american usa canada mexico brazil brasil
argentina england london britain scotland ireland france paris germany deutschland berlin munich muenchen hamburg
frankfurt spain espana italy italia roma rome milano venezia poland polska warsaw russia moscow china beijing japan
tokyo korea india mumbai delhi pakistan turkey istanbul ankara australia sydney africa nigeria egypt hawaii florida
texas dallas houston california newyork chicago boston denver phoenix vegas lasvegas hollywood brooklyn jersey carolina
virginia georgia alabama dakota montana nevada arizona alaska city street house home garden school college university
student teacher doctor nurse lawyer engineer science physics chemistry biology history english spanish french german
ocean sea beach island river mountain forest desert jungle storm thunder lightning hurricane tornado snow snowball
snowman rain fire firefly ice water earth wind air world planet mars venus jupiter saturn mercury galaxy space universe
galaxy rocket apollo nasa alien area mother nature life live alive death dead die bullshit shit fuck fucker fuckyou
fuckoff fuckme asshole bitch bastard dick cock pussy boobs tits sex porn naked nude slut whore playboy pimp gangster
gangsta thug mafia boss bigboss bigdog bigdaddy bighead bigboy big little small tiny giant monster beast animal
dreams dream dreamer sleeping sleepy magic special number phone mobile camera video photo picture movie cinema theater
book books library letter paper pencil pen table chair window door key keys keyboard mouse screen monitor laptop desktop
printer scanner hardware software program programmer developer code coding java javascript python mysql postgres
database data backup nothing blank empty null none undefined qwerty keyboard example sample demo trial beta alpha gamma
delta omega sigma theta zeta kappa lambda lambda alpha bravo charlie echo foxtrot hotel juliet kilo lima mike november
oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu chat chatting message mail email messenger
holdfast online offline website site page club team group member player gamer game games gaming play playing winner
newuser newpass newpassword mypass mypassword mynewpassword thisisapassword correcthorse correcthorsebatterystaple
batterystaple letme please enter open close start stop begin finish remember forget forgot forgotten lost found
christmas xmas santa halloween easter birthday happybirthday newyear holiday vacation weekend party
)";

const std::unordered_set<std::string>& words() {
  static const std::unordered_set<std::string> all = [] {
    std::unordered_set<std::string> found;
    std::istringstream text(kWords);
    for (std::string word; text >> word;) found.insert(word);
    return found;
  }();
  return all;
}

}  // namespace

bool is_common_word(std::string_view word) { return words().contains(std::string(word)); }

std::size_t common_words() { return words().size(); }

}  // namespace holdfast::chat
